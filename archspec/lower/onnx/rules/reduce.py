"""Reductions in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.reduce import ReduceMax, ReduceMean, ReduceSum


@RULES.rule(ReduceMean, ReduceSum, ReduceMax)
def reduce(op: ReduceMean | ReduceSum | ReduceMax, b: OnnxBuilder) -> str:
    """The ONNX reduction of the same name."""
    axes = b.integers("axes", op.normalized_axes(b.input_type))
    return b.result(type(op).__name__, b.input, axes, keepdims=int(op.keepdim))
