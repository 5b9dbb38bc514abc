"""Ops that merge several values into one in ONNX."""

from __future__ import annotations

from collections.abc import Callable

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops import Op
from archspec.ops.merge import Add, Concat, Max, Mean, Mul


def joined(pair: str, several: str) -> Callable[[Op, Emit], str]:
    """The rule of a join that ONNX has for two values and for several under these names."""

    def join(op: Op, emit: Emit) -> str:
        if len(emit.inputs) == 1:
            return emit.input
        return emit.last(pair if len(emit.inputs) == 2 else several, *emit.inputs)

    return join


@RULES.rule(Mul)
def mul(op: Mul, emit: Emit) -> str:
    """ONNX multiplies two at a time."""
    if len(emit.inputs) == 1:
        return emit.input
    product, tensor = emit.input, emit.type
    for i, value in enumerate(emit.node.inputs[1:-1], start=1):
        (tensor,) = op.infer((tensor, value.type))
        product = emit.step(f"product{i}", "Mul", product, emit.inputs[i], type=tensor)
    return emit.last("Mul", product, emit.inputs[-1])


@RULES.rule(Concat)
def concat(op: Concat, emit: Emit) -> str:
    """Concat."""
    if len(emit.inputs) == 1:
        return emit.input
    axis = op.axis + emit.type.rank if op.axis < 0 else op.axis
    return emit.last("Concat", *emit.inputs, axis=axis)


RULES.rule(Add)(joined("Add", "Sum"))
RULES.rule(Mean)(joined("Mean", "Mean"))
RULES.rule(Max)(joined("Max", "Max"))
