"""Ops that move elements between channels and positions, or among channels."""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Count
from archspec.ops.base import Footprint, Op, OpError, along, need_float, pointwise
from archspec.ops.conv import need_divisible
from archspec.ops.footprint import nearest, sliding


def _need_image(op: str, tensor: TensorType) -> None:
    """Check that a tensor is (N, channels, height, width) and floating-point.

    Raises:
        OpError: it is not.
    """
    need_float(op, tensor)
    if len(tensor.sizes) != 3:
        raise OpError("wrong-rank", f"'{op}' takes (N, channels, height, width), got {tensor}")


class PixelShuffle(Op):
    """Rearranges channels as pixels: (C r^2, H, W) becomes (C, H r, W r), the sub-pixel layer of super-resolution.

    Channel c r^2 + i r + j becomes row i and column j of every r by r square of channel c.

    Attributes:
        factor: r, by which height and width grow.
    """

    kind: ClassVar[str] = "pixel_shuffle"
    family: ClassVar[str] = "shuffle"
    shorthand: ClassVar[str | None] = "factor"
    module: ClassVar[bool] = True

    factor: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        _need_image(self.kind, tensor)
        squares = self.factor**2
        if tensor.channels % squares:
            raise OpError(
                "indivisible-channels",
                f"'{self.kind}' by {self.factor} needs a multiple of {squares} channels, got {tensor.channels}",
                help=f"use a multiple of {squares} channels",
            )
        return (tensor.with_sizes(tensor.channels // squares, *(size * self.factor for size in tensor.spatial)),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([nearest(1, self.factor)] * 2)


class PixelUnshuffle(Op):
    """Rearranges pixels as channels: (C, H r, W r) becomes (C r^2, H, W), which undoes `pixel_shuffle`.

    Attributes:
        factor: r, by which height and width shrink.
    """

    kind: ClassVar[str] = "pixel_unshuffle"
    family: ClassVar[str] = "shuffle"
    shorthand: ClassVar[str | None] = "factor"
    module: ClassVar[bool] = True

    factor: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        _need_image(self.kind, tensor)
        if any(size % self.factor for size in tensor.spatial):
            raise OpError(
                "wrong-size",
                f"'{self.kind}' by {self.factor} needs multiples of {self.factor} as height and width, got {tensor}",
                help="use `pad` or `center_crop` before it",
            )
        sizes = (size // self.factor for size in tensor.spatial)
        return (tensor.with_sizes(tensor.channels * self.factor**2, *sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([sliding(self.factor, self.factor, 1, (0, 0))] * 2)


class ChannelShuffle(Op):
    """Interleaves the channels of the groups: the first of each group, then the second of each.

    ShuffleNet puts it between two grouped convolutions, so that each group of the second reads all groups of the first.

    Attributes:
        groups: the number of groups.
    """

    kind: ClassVar[str] = "channel_shuffle"
    family: ClassVar[str] = "shuffle"
    shorthand: ClassVar[str | None] = "groups"
    module: ClassVar[bool] = True

    groups: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        if len(tensor.sizes) < 2:
            raise OpError("wrong-rank", f"'{self.kind}' needs positions after the channels, got {tensor}")
        need_divisible(self.kind, "input", tensor.channels, self.groups)
        return (tensor,)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis != 1}
