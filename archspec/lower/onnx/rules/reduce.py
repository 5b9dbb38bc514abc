"""Reductions, and what is made of the lengths of vectors, in ONNX."""

from __future__ import annotations

from collections.abc import Callable

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.reduce import ReduceMax, ReduceMean, ReduceSum


def reduced(kind: str) -> Callable[[ReduceMean | ReduceSum | ReduceMax, Emit], str]:
    """The rule of a reduction that ONNX has under this name."""

    def reduce(op: ReduceMean | ReduceSum | ReduceMax, emit: Emit) -> str:
        axes = emit.integers("axes", op.places(emit.type))
        return emit.last(kind, emit.input, axes, keepdims=int(op.keepdim))

    return reduce


RULES.rule(ReduceMean)(reduced("ReduceMean"))
RULES.rule(ReduceSum)(reduced("ReduceSum"))
RULES.rule(ReduceMax)(reduced("ReduceMax"))
