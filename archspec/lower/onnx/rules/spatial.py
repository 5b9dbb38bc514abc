"""Padding, cropping and upsampling in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.lower.dynamic.symbolic_size import Size, same_size
from archspec.lower.nearest_rows import nearest_rows, repeats_evenly
from archspec.lower.onnx.builder import AttributeValue, OnnxBuilder
from archspec.lower.onnx.rules.common import END, RULES, gather, onnx_pads, pad_arguments
from archspec.lower.onnx.rules.dynamic_windows import dynamic_nearest
from archspec.ops.spatial import AlignCrop, CenterCrop, CropLike, Pad, PadChannels, Upsample, UpsampleLike


@RULES.rule(Pad)
def pad(op: Pad, b: OnnxBuilder) -> str:
    """Pad."""
    pads = op.pads(b.input_type)
    if not any(map(any, pads)):
        return b.input
    inputs, attributes = pad_arguments(b, op.mode, pads, op.value)
    return b.result("Pad", *inputs, **attributes)


@RULES.rule(PadChannels)
def pad_channels(op: PadChannels, b: OnnxBuilder) -> str:
    """Pad at the end of the channels."""
    added = op.channels - b.input_type.channels
    if not added:
        return b.input
    pads = [(0, 0), (0, added), *((0, 0) for _ in b.input_type.spatial)]
    return b.result("Pad", b.input, b.integers("pads", onnx_pads(pads)))


@RULES.rule(CenterCrop, AlignCrop)
def center_crop(op: CenterCrop, b: OnnxBuilder) -> str:
    """Slice. If sizes are dynamic, the join crops that comes after an `AlignCrop`."""
    if b.dynamic and isinstance(op, AlignCrop):
        return b.input
    return _crop(b, [before for before, _ in op.pads(b.input_type)])


@RULES.rule(CropLike)
def crop_like(op: CropLike, b: OnnxBuilder) -> str:
    """Slice. Of the second input only a dynamic size is read."""
    return _crop(b, op.starts(b.node.input_types))


@RULES.rule(Upsample)
def upsample(op: Upsample, b: OnnxBuilder) -> str:
    """Resize; with mode nearest a Gather, unless every row is repeated equally often.

    PyTorch computes the source row of row i as floor(i * (n / m)) in float32, whose rounding decides some rows, such as
    in 14 rows to 4.
    """
    sizes = list(zip(b.input_type.spatial, b.output_type.spatial, strict=True))
    if all(same_size(n, m) for n, m in sizes):
        return b.input
    if op.interpolates:
        return _resize(b, "align_corners" if op.align_corners else "half_pixel", **_filter(op))
    if any(isinstance(size, Size) for pair in sizes for size in pair):
        factors = [_factor(n, m) for n, m in sizes]
        if all(factor is not None and repeats_evenly(nearest_rows(2, 2 * factor)) for factor in factors):
            return _resize(b, "asymmetric", mode="nearest", nearest_mode="floor")
        return dynamic_nearest(b)
    rows = {axis: nearest_rows(n, m) for axis, (n, m) in enumerate(sizes, start=2) if n != m}
    if all(m % n == 0 for n, m in sizes) and all(map(repeats_evenly, rows.values())):
        return _resize(b, "asymmetric", mode="nearest", nearest_mode="floor")
    return gather(b, rows)


@RULES.rule(UpsampleLike)
def upsample_like(op: UpsampleLike, b: OnnxBuilder) -> str | tuple[str, ...]:
    """As `upsample` to the size of the second input, of which only a dynamic size is read."""
    return upsample(Upsample(**op.attributes()), b)


def _filter(op: Upsample) -> dict[str, AttributeValue]:
    """The attributes of Resize for PyTorch's filters, which differ with antialias: see `Upsample`."""
    match op.mode == "bicubic", op.antialias:
        case False, False:
            return {"mode": "linear"}
        case True, False:
            return {"mode": "cubic", "cubic_coeff_a": -0.75}
        case False, True:
            return {"mode": "linear", "antialias": 1, "exclude_outside": 1}
    return {"mode": "cubic", "cubic_coeff_a": -0.5, "antialias": 1, "exclude_outside": 1}


def _crop(b: OnnxBuilder, starts: Sequence[int]) -> str:
    """Slice the axes that become shorter, from these positions on; ends are counted from the end of the axis.

    An axis of dynamic size may be too short for its crop. Then the Slice takes less, and a Reshape fails.
    """
    if any(isinstance(size, Size) for size in (*b.input_type.spatial, *b.output_type.spatial)):
        return _dynamic_crop(b, starts)
    sizes = zip(starts, b.input_type.spatial, b.output_type.spatial, strict=True)
    cuts = {axis: (start, start + m - n or END) for axis, (start, n, m) in enumerate(sizes, start=2) if n != m}
    if not cuts:
        return b.input
    first, last = zip(*cuts.values(), strict=True)
    bounds = (b.integers("starts", first), b.integers("ends", last), b.integers("axes", list(cuts)))
    return b.result("Slice", b.input, *bounds)


def _resize(b: OnnxBuilder, coordinates: str, **attributes: AttributeValue) -> str:
    """Resize by scales if they are integers, otherwise by sizes."""
    attributes = {"coordinate_transformation_mode": coordinates, **attributes}
    sizes = list(zip(b.input_type.spatial, b.output_type.spatial, strict=True))
    factors = [factor for n, m in sizes if (factor := _factor(n, m)) is not None]
    if len(factors) == len(sizes):
        scales = b.floats("scales", [1, 1, *factors])
        return b.result("Resize", b.input, "", scales, **attributes)
    axes = range(2, b.input_type.rank)
    return b.result("Resize", b.input, "", "", b.integers("sizes", b.output_type.spatial), axes=axes, **attributes)


def _factor(size: int, count: int) -> int | None:
    """The whole number that `count` is times `size`, at all sizes of the inputs; None if it is none."""
    if isinstance(size, Size) or isinstance(count, Size):
        factor = int(str(count)) // int(str(size))
        return factor if factor and same_size(size * factor, count) else None
    return None if count % size else count // size


def _dynamic_crop(b: OnnxBuilder, starts: Sequence[int]) -> str:
    """Slice along the axes that change, then Reshape to the sizes that are wanted."""
    sizes = zip(starts, b.input_type.spatial, b.output_type.spatial, strict=True)
    cuts = {axis: (start, start + m) for axis, (start, n, m) in enumerate(sizes, start=2) if not same_size(n, m)}
    if not cuts:
        return b.input
    first, last = zip(*cuts.values(), strict=True)
    bounds = (b.integers("starts", first), b.integers("ends", last), b.integers("axes", list(cuts)))
    value = b.step("slice", "Slice", b.input, *bounds, type=b.output_type)
    return b.result("Reshape", value, b.exact_shape(b.output_type.sizes))
