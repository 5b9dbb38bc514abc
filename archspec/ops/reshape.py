"""Ops that move elements and compute nothing, or next to nothing: flatten, reshape, pad, crop, upsample."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, prod
from typing import ClassVar, Literal

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Count, Flag, Natural, Number, PerAxis, Whole
from archspec.ops.base import (
    Cost,
    Footprint,
    Op,
    OpError,
    along,
    need_axis,
    need_float,
    need_spatial,
    per_axis,
    pointwise,
)
from archspec.ops.footprint import IDENTITY, LONGEST_PERIOD, Window, linear, nearest, shifted
from archspec.ops.geometry import Pads


class Identity(Op):
    """Hands its input on, under a name of its own."""

    kind: ClassVar[str] = "identity"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True


class Flatten(Op):
    """Runs of axes made one, from `start` to `end`.

    Attributes:
        start: the first axis of the run; 1 is the channels.
        end: the last axis of the run; -1 is the last.
    """

    kind: ClassVar[str] = "flatten"
    shorthand: ClassVar[str | None] = "start"
    module: ClassVar[bool] = True

    start: Whole = 1
    end: Whole = -1

    def run(self, tensor: TensorType) -> tuple[int, int]:
        """First and last axis of the run, counted from the front."""
        start, end = need_axis(self.kind, self.start, tensor), need_axis(self.kind, self.end, tensor)
        if start > end:
            raise OpError("wrong-axis", f"'{self.kind}' starts at axis {start}, after its end {end}, of {tensor}")
        return start, end

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if not tensor.sizes:
            return (tensor.with_sizes(1),)
        start, end = self.run(tensor)
        sizes = tensor.sizes
        return (tensor.with_sizes(*sizes[: start - 1], prod(sizes[start - 1 : end]), *sizes[end:]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        if not inputs[0].sizes:
            return {}
        start, end = self.run(inputs[0])
        after = {axis - (end - start): (axis, IDENTITY) for axis in range(end + 1, inputs[0].rank)}
        return {**{axis: (axis, IDENTITY) for axis in range(1, start)}, **after}


class Reshape(Op):
    """The same elements, in the same order, under other sizes.

    Attributes:
        sizes: the new sizes after the batch axis; one of them may be -1, for what is left.
    """

    kind: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "sizes"

    sizes: tuple[Whole, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if any(size < 1 and size != -1 for size in self.sizes) or self.sizes.count(-1) > 1:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' to {list(self.sizes)}: sizes are at least 1, and one of them may be -1",
            )
        known = prod(size for size in self.sizes if size != -1)
        fits = tensor.elements % known == 0 if -1 in self.sizes else tensor.elements == known
        if not fits:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot make {format_shape(('N', *self.sizes))} of {tensor}",  # type: ignore[arg-type]
                help=f"a sample has {tensor.elements:,} elements, the new sizes need "
                + (f"a multiple of {known:,}" if -1 in self.sizes else f"{known:,}"),
            )
        return (tensor.with_sizes(*(tensor.elements // known if size == -1 else size for size in self.sizes)),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        before, after = inputs[0].sizes, outputs[0].sizes
        same = 0
        while same < min(len(before), len(after)) and before[same] == after[same]:
            same += 1
        return {axis: (axis, IDENTITY) for axis in range(1, same + 1)}


class Permute(Op):
    """The axes in another order; the batch axis stays first.

    Attributes:
        order: the old axes in their new order, all but the batch: [2, 3, 1] puts the channels last.
    """

    kind: ClassVar[str] = "permute"
    shorthand: ClassVar[str | None] = "order"

    order: tuple[Count, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if sorted(self.order) != list(range(1, tensor.rank)):
            raise OpError(
                "wrong-axis",
                f"'{self.kind}' to {list(self.order)} does not name each axis of {tensor} once",
                help=f"order the axes {', '.join(map(str, range(1, tensor.rank)))}; the batch, axis 0, stays first",
            )
        return (tensor.with_sizes(*(tensor.sizes[axis - 1] for axis in self.order)),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {new: (old, IDENTITY) for new, old in enumerate(self.order, start=1)}


class Select(Op):
    """Some entries of one axis, by their numbers, in the order given.

    Attributes:
        indices: the entries to keep, counted from 0.
        axis: the axis; 1 is the channels.
    """

    kind: ClassVar[str] = "select"
    shorthand: ClassVar[str | None] = "indices"

    indices: tuple[Natural, ...]
    axis: Whole = 1

    def place(self, tensor: TensorType) -> int:
        """The axis, counted from the front."""
        return need_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        place = self.place(tensor)
        size = tensor.sizes[place - 1]
        if not self.indices or max(self.indices) >= size:
            raise OpError(
                "wrong-index",
                f"'{self.kind}' takes {list(self.indices)} of an axis of {size}, in {tensor}",
                help=f"list at least one index; they count from 0 to {size - 1}",
            )
        return (tensor.with_sizes(*tensor.sizes[: place - 1], len(self.indices), *tensor.sizes[place:]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        place = self.place(inputs[0])
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis != place}


class Pad(Op):
    """Rows added around the spatial axes.

    Attributes:
        padding: rows to add: a number, one per axis, or [before, after] per axis.
        mode: what they hold: a constant, the mirrored input, its edge, or the input from the other side.
        value: the constant.
    """

    kind: ClassVar[str] = "pad"
    shorthand: ClassVar[str | None] = "padding"

    padding: PerAxis[Natural | tuple[Natural, Natural]]
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: Number = 0.0

    def pads(self, tensor: TensorType) -> tuple[Pads, ...]:
        """Rows before and after each spatial axis."""
        written = per_axis(self.kind, "padding", self.padding, need_spatial(self.kind, tensor))
        return tuple(pad if isinstance(pad, tuple) else (pad, pad) for pad in written)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        pads = self.pads(tensor)
        for size, pad in zip(tensor.spatial, pads, strict=True):
            most = {"reflect": size - 1, "circular": size}.get(self.mode)
            if most is not None and max(pad) > most:
                raise OpError(
                    "bad-padding",
                    f"'{self.kind}' with mode {self.mode} cannot add {max(pad)} rows to an axis of {size}",
                    help=f"at most {most} can be added on a side",
                )
        sizes = (size + sum(pad) for size, pad in zip(tensor.spatial, pads, strict=True))
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        if self.mode == "circular":
            return {}
        return along([shifted(IDENTITY, -before) for before, _ in self.pads(inputs[0])])


class PadChannels(Op):
    """Channels of zeros after those that flow in: the shortcut of a residual network that costs no parameters.

    Attributes:
        channels: how many channels there are then.
    """

    kind: ClassVar[str] = "pad_channels"
    shorthand: ClassVar[str | None] = "channels"

    channels: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_axis(self.kind, 1, tensor)
        if self.channels < tensor.channels:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot make {self.channels} channels of {tensor}",
                help="channels are added; use `select` to keep some of them",
            )
        return (tensor.with_sizes(self.channels, *tensor.spatial),)


class CenterCrop(Op):
    """The middle of the spatial axes; an odd row too many is cut after the middle.

    Attributes:
        size: the sizes to keep.
    """

    kind: ClassVar[str] = "center_crop"
    shorthand: ClassVar[str | None] = "size"

    size: PerAxis[Count]

    def pads(self, tensor: TensorType) -> tuple[Pads, ...]:
        """Rows cut before and after each spatial axis."""
        wanted = per_axis(self.kind, "size", self.size, need_spatial(self.kind, tensor))
        spare = [have - want for have, want in zip(tensor.spatial, wanted, strict=True)]
        return tuple((rows // 2, rows - rows // 2) for rows in spare)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        pads = self.pads(tensor)
        if any(before < 0 for before, _ in pads):
            wanted = self.size if isinstance(self.size, int) else list(self.size)
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot cut {wanted} out of {tensor}",
                help="a crop is no larger than what it is cut from; use `pad` to grow",
            )
        sizes = (size - sum(pad) for size, pad in zip(tensor.spatial, pads, strict=True))
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([shifted(IDENTITY, before) for before, _ in self.pads(inputs[0])])


class Upsample(Op):
    """Spatial axes made larger by a factor, or brought to a size.

    With mode nearest, row i of m repeats row floor(i n / m) of n. PyTorch works that out in float32, whose rounding
    makes some rows repeat the one before: where 14 rows become 4, and by the factors 41, 47, 55, 61 and some above.
    The ONNX file does as PyTorch; receptive fields and Keras are exact.

    Attributes:
        scale: the factor: output n * scale, rounded down.
        size: the output size, instead of a factor.
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three).
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
    """

    kind: ClassVar[str] = "upsample"
    shorthand: ClassVar[str | None] = "scale"
    module: ClassVar[bool] = True

    scale: PerAxis[Count] | None = None
    size: PerAxis[Count] | None = None
    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"
    align_corners: Flag = False

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        axes = need_spatial(self.kind, tensor)
        wanted = {"bilinear": 2, "trilinear": 3}.get(self.mode, axes)
        if wanted != axes:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' with mode {self.mode} works on {wanted} spatial axes, got {tensor}",
                help="mode `linear` works on any number of them",
            )
        if (self.scale is None) == (self.size is None):
            raise OpError("wrong-attributes", f"'{self.kind}' takes either a scale or a size", help="write one of them")
        if self.align_corners and self.mode == "nearest":
            raise OpError("wrong-attributes", f"'{self.kind}' cannot align corners with mode nearest")
        if self.scale is not None:
            factors = per_axis(self.kind, "scale", self.scale, axes)
            sizes = tuple(size * factor for size, factor in zip(tensor.spatial, factors, strict=True))
        else:
            sizes = per_axis(self.kind, "size", self.size, axes)
        return (tensor.with_sizes(tensor.channels, *sizes),)

    @property
    def interpolates(self) -> bool:
        """Whether the mode is one of the linear ones."""
        return self.mode != "nearest"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        if not self.interpolates:
            return Cost()
        taps = 2 ** len(outputs[0].spatial)
        elements = outputs[0].elements
        return Cost(other={"multiply": taps * elements, "add": (taps - 1) * elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        pairs = zip(inputs[0].spatial, outputs[0].spatial, strict=True)
        return along([self._window(size, count) for size, count in pairs])

    def _window(self, size: int, count: int) -> Window | None:
        if not self.interpolates:
            common = gcd(size, count)
            return nearest(size // common, count // common)
        if self.align_corners and count > 1:
            return _corner_aligned(size, count)
        common = gcd(size, count)
        return linear(size // common, count // common)


def _corner_aligned(size: int, count: int) -> Window | None:
    """Output i reads the inputs around i (n - 1) / (m - 1): the pattern is as long as the axis."""
    if count - 1 > LONGEST_PERIOD:
        return None
    step = Fraction(size - 1, count - 1)
    places = [i * step for i in range(count - 1)]
    reaches = [(int(place), int(place) + (place.denominator > 1)) for place in places]
    return Window(max(1, size - 1), tuple(reaches))
