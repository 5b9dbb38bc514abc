"""Merging several values into one, in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops import Op
from archspec.ops.merge import Add, Concat, Max, Mean, Mul

_VARIADIC: dict[type[Op], tuple[str, str]] = {Add: ("Add", "Sum"), Mean: ("Mean", "Mean"), Max: ("Max", "Max")}
"""The ONNX operators for two inputs and for more."""


@RULES.rule(*_VARIADIC)
def variadic(op: Op, b: OnnxBuilder) -> str:
    """One ONNX operator for all inputs."""
    if len(b.inputs) == 1:
        return b.input
    two, more = _VARIADIC[type(op)]
    return b.result(two if len(b.inputs) == 2 else more, *b.inputs)


@RULES.rule(Mul)
def mul(op: Mul, b: OnnxBuilder) -> str:
    """A chain of Muls: ONNX's Mul takes two inputs."""
    if len(b.inputs) == 1:
        return b.input
    product, tensor = b.input, b.input_type
    for i, value in enumerate(b.node.inputs[1:-1], start=1):
        (tensor,) = op.infer((tensor, value.type))
        product = b.step(f"product{i}", "Mul", product, b.inputs[i], type=tensor)
    return b.result("Mul", product, b.inputs[-1])


@RULES.rule(Concat)
def concat(op: Concat, b: OnnxBuilder) -> str:
    """Concat."""
    if len(b.inputs) == 1:
        return b.input
    axis = op.axis + b.input_type.rank if op.axis < 0 else op.axis
    return b.result("Concat", *b.inputs, axis=axis)
