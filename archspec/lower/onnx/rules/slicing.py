"""Slices and splits in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.slicing import Slice, Split


@RULES.rule(Split)
def split(op: Split, b: OnnxBuilder) -> str | tuple[str, ...]:
    """Split; no node for a single part."""
    cuts = op.cuts(b.input_type)
    if len(cuts) == 1:
        return b.input
    outputs = [b.output_info(port) for port in range(len(cuts))]
    inputs = b.input, b.integers("sizes", cuts)
    return b.add_node(b.node.name, "Split", inputs, outputs, {"axis": op.normalized_axis(b.input_type)})


@RULES.rule(Slice)
def slice_(op: Slice, b: OnnxBuilder) -> str:
    """Slice, with all bounds counted from the start of the axis."""
    entries = op.entries(b.input_type)
    bounds = {
        "starts": entries.start,
        "ends": entries.stop,
        "axes": op.normalized_axis(b.input_type),
        "steps": entries.step,
    }
    return b.result("Slice", b.input, *(b.integers(name, [bound]) for name, bound in bounds.items()))
