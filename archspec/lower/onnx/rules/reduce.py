"""Reductions and sums along axes in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, with_size
from archspec.ops.base import need_axis
from archspec.ops.reduce import REDUCTIONS, ArgMax, CumSum, ReduceStd, ReduceVar, Reduction


@RULES.rule(*(op for op in REDUCTIONS if op not in (ReduceVar, ReduceStd)))
def reduce(op: Reduction, b: OnnxBuilder) -> str:
    """The ONNX reduction of the same name."""
    axes = b.integers("axes", op.normalized_axes(b.input_type))
    return b.result(type(op).__name__, b.input, axes, keepdims=int(op.keepdim))


@RULES.rule(ReduceVar, ReduceStd)
def variance(op: Reduction, b: OnnxBuilder) -> str:
    """ReduceMean of the squares of the distances to the ReduceMean, and Sqrt for the deviation."""
    axes, tensor = b.integers("axes", op.normalized_axes(b.input_type)), b.input_type
    reduced = tensor
    for axis in op.normalized_axes(tensor):
        reduced = with_size(reduced, axis, 1)
    mean = b.step("mean", "ReduceMean", b.input, axes, type=reduced, keepdims=1)
    distance = b.step("distance", "Sub", b.input, mean, type=tensor)
    square = b.step("square", "Mul", distance, distance, type=tensor)
    if isinstance(op, ReduceVar):
        return b.result("ReduceMean", square, axes, keepdims=int(op.keepdim))
    return b.result(
        "Sqrt", b.step("variance", "ReduceMean", square, axes, type=b.output_type, keepdims=int(op.keepdim))
    )


@RULES.rule(ArgMax)
def argmax(op: ArgMax, b: OnnxBuilder) -> str:
    """ArgMax."""
    return b.result("ArgMax", b.input, axis=need_axis(op.kind, op.axis, b.input_type), keepdims=int(op.keepdim))


@RULES.rule(CumSum)
def cumsum(op: CumSum, b: OnnxBuilder) -> str:
    """CumSum."""
    return b.result("CumSum", b.input, b.integers("axis", need_axis(op.kind, op.axis, b.input_type)))
