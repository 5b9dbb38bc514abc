"""Slices and splits in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import END, RULES, parts_of_axis
from archspec.lower.onnx.symbolic_size import Size
from archspec.ops.slicing import Slice, Split


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
