"""Slices, splits, rolls and flips in ONNX."""

from __future__ import annotations

from archspec.ir.types import DType
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import OnnxBuilder, OnnxShape
from archspec.lower.onnx.rules.common import END, RULES, parts_of_axis
from archspec.ops.slicing import Flip, Roll, Slice, Split


@RULES.rule(Split)
def split(op: Split, b: OnnxBuilder) -> str | tuple[str, ...]:
    """Split; no node for a single part. An axis of dynamic size becomes two, the first of them the parts."""
    axis = op.normalized_axis(b.input_type)
    if isinstance(b.input_type.sizes[axis - 1], Size) and op.parts is not None:
        return tuple(parts_of_axis(b, axis, op.parts)) if op.parts > 1 else b.input
    cuts = op.cuts(b.input_type)
    if len(cuts) == 1:
        return b.input
    outputs = [b.output_info(port) for port in range(len(cuts))]
    inputs = b.input, b.integers("sizes", cuts)
    return b.add_node(b.node.name, "Split", inputs, outputs, {"axis": axis})


@RULES.rule(Slice)
def slice_(op: Slice, b: OnnxBuilder) -> str:
    """Slice, with all bounds counted from the start of the axis unless its size is dynamic."""
    axis = op.normalized_axis(b.input_type)
    if isinstance(b.input_type.sizes[axis - 1], Size):
        return _of_dynamic_axis(op, b, axis)
    entries = op.entries(b.input_type)
    bounds = {
        "starts": entries.start,
        "ends": entries.stop,
        "axes": axis,
        "steps": entries.step,
    }
    return b.result("Slice", b.input, *(b.integers(name, [bound]) for name, bound in bounds.items()))


def _of_dynamic_axis(op: Slice, b: OnnxBuilder, axis: int) -> str:
    """Slice with its bounds as written."""
    bounds = (op.start, END if op.end is None else op.end, axis, op.step)
    constants = [b.integers(name, [bound]) for name, bound in zip(_BOUNDS, bounds, strict=True)]
    return b.result("Slice", b.input, *constants)


_BOUNDS = ("starts", "ends", "axes", "steps")
"""The inputs of Slice."""


@RULES.rule(Roll)
def roll(op: Roll, b: OnnxBuilder) -> str:
    """Two Slices, one after the other in a Concat, for each axis."""
    cuts = {axis: _first_moved(b, axis, shift) for axis, shift in op.shifts(b.input_type).items()}
    cuts = {axis: cut for axis, cut in cuts.items() if cut != 0}
    value = b.input
    for axis, cut in cuts.items():
        start = cut if isinstance(cut, str) else b.integers("cut", [cut])
        axes = b.integers("axes", [axis])
        size = b.input_type.sizes[axis - 1]
        sizes = (size - cut, cut) if isinstance(cut, int) else (None, None)
        parts = [
            b.unbatched_step(
                label, "Slice", value, *bounds, axes, shape=_along(b, axis, part), dtype=b.input_type.dtype
            )
            for label, part, bounds in (
                (f"last{axis}", sizes[0], (start, b.integers("end", [END]))),
                (f"first{axis}", sizes[1], (b.integers("start", [0]), start)),
            )
        ]
        if axis == [*cuts][-1]:
            return b.result("Concat", *parts, axis=axis)
        value = b.step(f"rolled{axis}", "Concat", *parts, type=b.input_type, axis=axis)
    return value


def _first_moved(b: OnnxBuilder, axis: int, shift: int) -> int | str:
    """The first entry after a roll, which is computed if the size of the axis is dynamic; 0 if nothing moves."""
    size = b.input_type.sizes[axis - 1]
    if not isinstance(size, Size) or shift == 0:
        return -shift % size if shift else 0
    numbers = b.integers("shift", [-shift]), b.size(size)
    return b.unbatched_step(f"cut{axis}", "Mod", *numbers, shape=(1,), dtype=DType.INT64)


def _along(b: OnnxBuilder, axis: int, size: int | None) -> OnnxShape:
    """The shape of the input with another size along an axis."""
    return (*b.input_type.shape[:axis], size, *b.input_type.shape[axis + 1 :])


@RULES.rule(Flip)
def flip(op: Flip, b: OnnxBuilder) -> str:
    """Slice with steps of -1, from the last entry to before the first."""
    axes = op.reversed_axes(b.input_type)
    bounds = (("starts", -1), ("ends", -END), ("axes", None), ("steps", -1))
    numbers = [b.integers(label, axes if each is None else [each] * len(axes)) for label, each in bounds]
    return b.result("Slice", b.input, *numbers)
