"""Reductions, and what is made of the lengths of vectors, in ONNX."""

from __future__ import annotations

from collections.abc import Callable

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import resized
from archspec.ops.activation import Squash
from archspec.ops.norm import L2Normalize
from archspec.ops.reduce import ReduceMax, ReduceMean, ReduceSum


def reduced(kind: str) -> Callable[[ReduceMean | ReduceSum | ReduceMax, Emit], str]:
    """The rule of a reduction that ONNX has under this name."""

    def reduce(op: ReduceMean | ReduceSum | ReduceMax, emit: Emit) -> str:
        axes = emit.integers("axes", op.places(emit.type))
        return emit.last(kind, emit.input, axes, keepdims=int(op.keepdim))

    return reduce


def l2_normalize(op: L2Normalize, emit: Emit) -> str:
    """LpNormalization divides by zero; here the length is at least eps."""
    length, tensor = _length(emit, op.place(emit.type))
    return emit.last("Div", emit.input, emit.step("least", "Max", length, emit.numbers("eps", op.eps), type=tensor))


def squash(op: Squash, emit: Emit) -> str:
    """The length divided by one more than its square, times the vector."""
    length, tensor = _length(emit, op.place(emit.type))
    square = emit.step("square", "Mul", length, length, type=tensor)
    more = emit.step("more", "Add", square, emit.numbers("one", 1), type=tensor)
    return emit.last("Mul", emit.input, emit.step("factor", "Div", length, more, type=tensor))


def _length(emit: Emit, place: int) -> tuple[str, TensorType]:
    """The lengths of the vectors along one axis, which stays with size 1."""
    tensor = resized(emit.type, place, 1)
    return emit.step("length", "ReduceL2", emit.input, emit.integers("axes", [place]), type=tensor, keepdims=1), tensor
