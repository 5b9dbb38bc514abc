"""Padding, cropping and resizing of spatial axes."""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from typing import ClassVar, Literal

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Count, Flag, Natural, Number, PerAxis
from archspec.ops.base import (
    NOT_READ,
    Cost,
    Footprint,
    Op,
    OpError,
    along,
    need_axis,
    need_float,
    need_spatial,
    per_axis,
)
from archspec.ops.footprint import IDENTITY, LONGEST_PERIOD, Window, linear, nearest, shifted
from archspec.ops.geometry import Pads
from archspec.ops.sliding import need_rows


class Pad(Op):
    """Adds rows around the spatial axes.

    Attributes:
        padding: rows to add: a number, one per axis, or [before, after] per axis.
        mode: the content of the rows: a constant, the mirrored input, its edge, or the input from the other side.
        value: the constant.
    """

    kind: ClassVar[str] = "pad"
    family: ClassVar[str] = "spatial"
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
        if self.mode != "constant" and self.value:
            raise OpError(
                "wrong-attributes",
                f"'{self.kind}' with mode {self.mode} has no `value`: its rows are those of the input",
                help="leave `value` out, or use mode constant",
            )
        pads = self.pads(tensor)
        need_rows(self.kind, self.mode, tensor.spatial, pads)
        sizes = (size + sum(pad) for size, pad in zip(tensor.spatial, pads, strict=True))
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        if self.mode == "circular":
            return {}
        return along([shifted(IDENTITY, -before) for before, _ in self.pads(inputs[0])])


class PadChannels(Op):
    """Appends channels of zeros: the parameter-free shortcut of residual networks.

    Attributes:
        channels: the number of output channels.
    """

    kind: ClassVar[str] = "pad_channels"
    family: ClassVar[str] = "spatial"
    shorthand: ClassVar[str | None] = "channels"

    channels: Count

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_axis(self.kind, 1, tensor)
        if self.channels < tensor.channels:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot reduce {tensor} to {self.channels} channels",
                help="it only adds channels; use `select` to keep some of them",
            )
        return (tensor.with_sizes(self.channels, *tensor.spatial),)


class CenterCrop(Op):
    """Crops the middle of the spatial axes; an odd row is cut at the end.

    Attributes:
        size: the sizes to keep.
    """

    kind: ClassVar[str] = "center_crop"
    family: ClassVar[str] = "spatial"
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
                f"'{self.kind}' cannot crop {tensor} to {wanted}",
                help="a crop cannot be larger than its input; use `pad` to grow",
            )
        sizes = (size - sum(pad) for size, pad in zip(tensor.spatial, pads, strict=True))
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([shifted(IDENTITY, before) for before, _ in self.pads(inputs[0])])


def smallest(inputs: Sequence[TensorType]) -> tuple[int, ...]:
    """The smallest size along each spatial axis, of values with equally many axes."""
    return tuple(map(min, zip(*(tensor.spatial for tensor in inputs), strict=True)))


class AlignCrop(CenterCrop):
    """Crops a path to the smallest size of the paths that are joined: what `align: center_crop` adds to a graph.

    The join itself crops too, with `crops`. At other sizes of the network's inputs, where other paths may be larger,
    that alone counts.

    Attributes:
        size: the smallest size along each spatial axis.
    """


class Upsample(Op):
    """Resizes spatial axes by a factor, or to a size.

    With mode nearest, row i of m repeats row floor(i n / m) of n. PyTorch computes that in float32, whose rounding
    makes some rows repeat the one before: where 14 rows become 4, and by the factors 41, 47, 55, 61 and some above.
    The ONNX file does as PyTorch, Keras refuses these, and receptive fields are exact.

    Attributes:
        scale: the factor: output n * scale, rounded down.
        size: the output size, instead of a factor.
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three).
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
    """

    kind: ClassVar[str] = "upsample"
    family: ClassVar[str] = "spatial"
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
                f"'{self.kind}' with mode {self.mode} needs {wanted} spatial axes, got {tensor}",
                help="mode `linear` takes any number of spatial axes",
            )
        if (self.scale is None) == (self.size is None):
            help = "write scale: 2, or size: [height, width]" if self.scale is None else "leave one of them out"
            raise OpError("wrong-attributes", f"'{self.kind}' takes either `scale` or `size`", help=help)
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
        if self.align_corners:
            return _corner_aligned(size, count)
        common = gcd(size, count)
        return linear(size // common, count // common)


def _corner_aligned(size: int, count: int) -> Window | None:
    """Output i reads the inputs around i (n - 1) / (m - 1): the pattern is as long as the axis."""
    if count - 1 > LONGEST_PERIOD:
        return None
    if size == 1 or count == 1:
        return Window(size, ((0, 0),) * count)
    step = Fraction(size - 1, count - 1)
    centres = [i * step for i in range(count - 1)]
    reaches = [(int(centre), int(centre) + (centre.denominator > 1)) for centre in centres]
    return Window(max(1, size - 1), tuple(reaches))


class _Like(Op):
    """Takes a value, and a second one whose spatial sizes it uses."""

    family: ClassVar[str] = "spatial"

    shorthand: ClassVar[str | None] = "from"
    inputs: ClassVar[int | None] = 2

    def need_pair(self, inputs: Sequence[TensorType]) -> tuple[int, ...]:
        """The sizes of the output.

        Raises:
            OpError: the two values have not as many spatial axes.
        """
        tensor, like = inputs
        need_float(self.kind, tensor)
        if need_spatial(self.kind, tensor) != len(like.spatial):
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' cannot resize {tensor} to the size of {like}",
                help="both inputs need the same number of spatial axes",
            )
        return like.spatial


class UpsampleLike(_Like):
    """Resizes the first input to the spatial size of the second, `from: [prev, skip]`.

    Attributes:
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three).
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
    """

    kind: ClassVar[str] = "upsample_like"

    mode: Literal["nearest", "linear", "bilinear", "trilinear"] = "nearest"
    align_corners: Flag = False

    def sized(self, inputs: Sequence[TensorType]) -> Upsample:
        """The equivalent `upsample`."""
        return Upsample(size=self.need_pair(inputs), mode=self.mode, align_corners=self.align_corners)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        try:
            return self.sized(inputs).infer(inputs[:1])
        except OpError as error:
            message = error.message.replace("'upsample'", f"'{self.kind}'")
            raise OpError(error.code, message, error.help) from error

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return self.sized(inputs).cost(inputs[:1], outputs)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return NOT_READ if index else self.sized(inputs).footprint(inputs[:1], outputs, 0)


class CropLike(_Like):
    """Crops the first input to the spatial size of the second, `from: [prev, skip]`.

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
                help="the first input must be at least as large as the second",
            )
        return (tensor.with_sizes(tensor.channels, *wanted),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return NOT_READ if index else along([shifted(IDENTITY, start) for start in self.starts(inputs)])
