"""Values brought to the spatial size of another, as decoders do whose encoder rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Flag, Natural, PerAxis
from archspec.ops.base import NOT_READ, Cost, Footprint, Op, OpError, along, need_float, need_spatial, per_axis
from archspec.ops.footprint import IDENTITY, shifted
from archspec.ops.reshape import Upsample


class _Like(Op):
    """Takes a value, and another of which it reads the spatial sizes alone."""

    shorthand: ClassVar[str | None] = "from"
    inputs: ClassVar[int | None] = 2

    def need_pair(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        """The sizes wanted.

        Raises:
            Refusal: the two values have not as many spatial axes.
        """
        tensor, like = inputs
        need_float(self.kind, tensor)
        if need_spatial(self.kind, tensor) != len(like.spatial):
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' cannot bring {tensor} to the size of {like}",
                help="both values have as many spatial axes",
            )
        return like.spatial


class UpsampleLike(_Like):
    """Spatial axes brought to the size of a second value, `from: [prev, skip]`: the first is interpolated.

    Attributes:
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three).
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
    """

    kind: ClassVar[str] = "upsample_like"

    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"
    align_corners: Flag = False

    def sized(self, inputs: Sequence[TensorType]) -> Upsample:
        """The same with the size written out."""
        return Upsample(size=self.need_pair(inputs), mode=self.mode, align_corners=self.align_corners)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        try:
            return self.sized(inputs).infer(inputs[:1])
        except OpError as refusal:
            message = refusal.message.replace("'upsample'", f"'{self.kind}'")
            raise OpError(refusal.code, message, refusal.help) from refusal

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return self.sized(inputs).cost(inputs[:1], outputs)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return NOT_READ if index else self.sized(inputs).footprint(inputs[:1], outputs, 0)


class CropLike(_Like):
    """A part of the first value as large as a second one, `from: [prev, skip]`.

    Attributes:
        offset: the first position kept along each spatial axis, as the 5, 9, 19 and 31 of the fully convolutional
            networks; the middle is kept unless given, and an odd row too many is cut after it.
    """

    kind: ClassVar[str] = "crop_like"

    offset: PerAxis[Natural] | None = None

    def starts(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        """The first position kept along each spatial axis."""
        pairs = zip(inputs[0].spatial, inputs[1].spatial, strict=True)
        if self.offset is None:
            return tuple((have - want) // 2 for have, want in pairs)
        return per_axis(self.kind, "offset", self.offset, len(inputs[0].spatial))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        wanted = self.need_pair(inputs)
        tensor, starts = inputs[0], self.starts(inputs)
        if any(not 0 <= start <= have - want for start, have, want in zip(starts, tensor.spatial, wanted, strict=True)):
            placed = "" if self.offset is None else f" from {format_shape(starts)} on"
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot cut {format_shape(wanted)}{placed} out of {format_shape(tensor.spatial)}",
                help="a crop lies within what it is cut from; the first value is cut to the size of the second",
            )
        return (tensor.with_sizes(tensor.channels, *wanted),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return NOT_READ if index else along([shifted(IDENTITY, start) for start in self.starts(inputs)])
