"""Padding, cropping and resizing of spatial axes."""

from collections.abc import Sequence
from fractions import Fraction as Ratio
from math import ceil, floor, gcd, prod
from typing import Any, ClassVar, Literal

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Count, Flag, Natural, Number, PerAxis, Positive
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
from archspec.ops.footprint import IDENTITY, LONGEST_PERIOD, Window, around, interpolated, nearest, shifted
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


Mode = Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"]
"""How rows are resized: `linear` is bilinear over two axes and trilinear over three."""

_AXES = {"bilinear": 2, "trilinear": 3, "bicubic": 2}
"""The spatial axes that a mode needs."""


class Upsample(Op):
    """Resizes spatial axes by a factor, or to a size.

    A factor is another way to write the size floor(n * scale): rows are taken from where they are for that size, which
    is `recompute_scale_factor=True` in PyTorch and makes a difference where n * scale is not whole. Mode bicubic is
    cubic convolution with a = -0.75, and rows beyond the border are those at the border. With `antialias` a = -0.5,
    the filter is as wide as the input rows of an output row, and its weights at the border are divided by their sum.
    PyTorch 2.13 repeats the first row of such an output of one column; that is refused.

    With mode nearest, row i of m repeats row floor(i n / m) of n. PyTorch computes that in float32, whose rounding
    makes some rows repeat the one before: where 14 rows become 4, and by the factors 41, 47, 55, 61 and some above.
    The ONNX file does as PyTorch, Keras refuses these, and receptive fields are exact.

    Attributes:
        scale: the factor: output n * scale, rounded down.
        size: the output size, instead of a factor.
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three);
            `bicubic` fits cubic curves through four rows and columns.
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
        antialias: whether a smaller output averages all the rows between its own, with mode bilinear or bicubic.
    """

    kind: ClassVar[str] = "upsample"
    family: ClassVar[str] = "spatial"
    shorthand: ClassVar[str | None] = "scale"
    module: ClassVar[bool] = True

    scale: PerAxis[Positive] | None = None
    size: PerAxis[Count] | None = None
    mode: Mode = "nearest"
    align_corners: Flag = False
    antialias: Flag = False

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        axes = need_spatial(self.kind, tensor)
        wanted = _AXES.get(self.mode, axes)
        if wanted != axes:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' with mode {self.mode} needs {wanted} spatial axes, got {tensor}",
                help="mode `linear` takes any number of spatial axes",
            )
        if (self.scale is None) == (self.size is None):
            help = "write scale: 2, or size: [height, width]" if self.scale is None else "leave one of them out"
            raise OpError("wrong-attributes", f"'{self.kind}' takes either `scale` or `size`", help=help)
        if self.align_corners and not self.interpolates:
            raise OpError("wrong-attributes", f"'{self.kind}' cannot align corners with mode nearest")
        self._need_antialiasing(axes)
        if self.scale is not None:
            sizes = tuple(map(scaled, tensor.spatial, self.scales(axes)))
        else:
            sizes = per_axis(self.kind, "size", self.size, axes)
        if self.fractional and any(size < 1 for size in sizes):
            raise OpError(
                "wrong-size",
                f"'{self.kind}' with scale {_listed(self.factors)} leaves nothing of {tensor}",
                help="use a larger `scale`, or write the `size`",
            )
        if self.antialias:
            need_columns(self.kind, tensor, sizes)
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def _need_antialiasing(self, axes: int) -> None:
        """Check that `antialias` has a meaning on which PyTorch and ONNX agree."""
        if not self.antialias:
            return
        if self.mode not in ("linear", "bilinear", "bicubic") or axes != 2:
            raise OpError(
                "wrong-attributes",
                f"'{self.kind}' has antialias only over two spatial axes, with mode bilinear or bicubic",
                help="leave `antialias` out, or pool before a smaller size",
            )
        if self.align_corners:
            raise OpError(
                "wrong-attributes",
                f"'{self.kind}' cannot align corners with antialias: PyTorch and ONNX have different filters there",
                help="leave one of them out",
            )

    def canonical_attributes(self) -> dict[str, Any]:
        return _without_number_of_axes(super().canonical_attributes())

    @property
    def interpolates(self) -> bool:
        """Whether the output is a weighted sum of several rows."""
        return self.mode != "nearest"

    @property
    def radius(self) -> int:
        """How many rows on each side of its place an output row is made of, without antialias."""
        return 2 if self.mode == "bicubic" else 1

    def scales(self, axes: int) -> tuple[float, ...]:
        """The factor along each spatial axis.

        Raises:
            OpError: a list of the wrong length.
        """
        return per_axis(self.kind, "scale", self.scale, axes)

    @property
    def factors(self) -> int | float | tuple[int | float, ...] | None:
        """The scale, with whole numbers as such."""
        return tuple(map(_whole, self.scale)) if isinstance(self.scale, tuple) else self.scale and _whole(self.scale)

    @property
    def fractional(self) -> bool:
        """Whether a factor is not whole, so that the size of the output may be rounded down."""
        scale = self.scale if isinstance(self.scale, tuple) else (self.scale or 1,)
        return not all(float(factor).is_integer() for factor in scale)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        if not self.interpolates:
            return Cost()
        pairs = zip(inputs[0].spatial, outputs[0].spatial, strict=True)
        taps = prod(ceil(2 * self.radius * self._width(size, count)) for size, count in pairs)
        elements = outputs[0].elements
        return Cost(other={"multiply": taps * elements, "add": (taps - 1) * elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        pairs = zip(inputs[0].spatial, outputs[0].spatial, strict=True)
        return along([self._window(size, count) for size, count in pairs])

    def _width(self, size: int, count: int) -> Ratio:
        """The distance of two rows for the filter: that of output rows if `antialias` spreads it over them."""
        return max(Ratio(1), Ratio(size, count)) if self.antialias else Ratio(1)

    def _window(self, size: int, count: int) -> Window | None:
        common = gcd(size, count)
        if not self.interpolates:
            return nearest(size // common, count // common)
        if self.align_corners:
            return _corner_aligned(size, count, self.radius)
        return interpolated(size // common, count // common, self.radius, self._width(size, count))


def _without_number_of_axes(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes with the mode that is meant by `bilinear` over two axes, and by `trilinear` over three."""
    return {name: "linear" if value in ("bilinear", "trilinear") else value for name, value in attributes.items()}


def need_columns(op: str, tensor: TensorType, sizes: Sequence[int]) -> None:
    """Check that a size for antialias has several columns, or one row.

    Raises:
        OpError: it has one column, where PyTorch 2.13 repeats the first row.
    """
    if sizes[1] == 1 != sizes[0]:
        raise OpError(
            "wrong-size",
            f"'{op}' with antialias cannot resize {tensor} to one column",
            help="PyTorch repeats the first row of such an output; pool over the columns first",
        )


def scaled(size: int, factor: float) -> int:
    """The size floor(n * factor), as PyTorch computes it in float64; with integers if `is_exact`."""
    if is_exact(factor):
        numerator, denominator = factor.as_integer_ratio()
        return size * numerator // denominator
    return floor(size * factor)


def is_exact(factor: float) -> bool:
    """Whether float64 holds the product with any size: a whole number, or a fraction of a power of 2, such as 1.5."""
    numerator, denominator = factor.as_integer_ratio()
    return denominator == 1 or (numerator <= 2**12 and denominator <= 2**12)  # sizes are at most 2**40


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _listed(scale: object) -> str:
    return str(list(scale)) if isinstance(scale, tuple) else str(scale)


def _corner_aligned(size: int, count: int, radius: int) -> Window | None:
    """Output i reads the inputs around i (n - 1) / (m - 1): the pattern is as long as the axis."""
    if count - 1 > LONGEST_PERIOD:
        return None
    if size == 1 or count == 1:
        return Window(size, ((0, 0),) * count)
    step = Ratio(size - 1, count - 1)
    return Window(max(1, size - 1), tuple(around(i * step, radius) for i in range(count - 1)))


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
        mode: `nearest` repeats the input; `linear` interpolates (bilinear over two axes, trilinear over three);
            `bicubic` fits cubic curves through four rows and columns.
        align_corners: whether the outermost positions of input and output coincide (else the outermost edges do).
        antialias: whether a smaller output averages all the rows between its own, with mode bilinear or bicubic.
    """

    kind: ClassVar[str] = "upsample_like"

    mode: Mode = "nearest"
    align_corners: Flag = False
    antialias: Flag = False

    def canonical_attributes(self) -> dict[str, Any]:
        return _without_number_of_axes(super().canonical_attributes())

    def sized(self, inputs: Sequence[TensorType]) -> Upsample:
        """The equivalent `upsample`."""
        return Upsample(size=self.need_pair(inputs), **self.attributes())

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
