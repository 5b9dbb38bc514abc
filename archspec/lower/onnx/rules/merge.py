"""Merging several values into one, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.lower.onnx.symbolic_size import Size
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
    kind = two if len(b.inputs) == 2 else more
    guards = list(dict.fromkeys(value.type.sizes for value in b.node.inputs))
    if len(guards) == 1:
        return b.result(kind, *b.inputs)
    return _without_broadcasting(b, b.step("joined", kind, *b.inputs, type=b.output_type), guards)


def _without_broadcasting(b: OnnxBuilder, value: str, sizes: Sequence[tuple[int, ...]]) -> str:
    """The result of an element-wise operator that must have these sizes, which are equal at some sizes of the inputs.

    ONNX would repeat values along axes of size 1. A Reshape to the sizes of an input that was repeated fails.
    """
    *others, final = sizes
    for i, other in enumerate(others):
        value = b.step(f"as{i}", "Reshape", value, b.exact_shape(other), type=b.output_type)
    return b.result("Reshape", value, b.exact_shape(final))


@RULES.rule(Mul)
def mul(op: Mul, b: OnnxBuilder) -> str:
    """A chain of Muls: ONNX's Mul takes two inputs."""
    if len(b.inputs) == 1:
        return b.input
    product, tensor = b.input, b.input_type
    for i, value in enumerate(b.node.inputs[1:-1], start=1):
        pairs = zip(tensor.sizes, value.type.sizes, strict=True)
        tensor = tensor.with_sizes(*(b if not isinstance(a, Size) and a == 1 else a for a, b in pairs))
        product = b.step(f"product{i}", "Mul", product, b.inputs[i], type=tensor)
    return b.result("Mul", product, b.inputs[-1])


@RULES.rule(Concat)
def concat(op: Concat, b: OnnxBuilder) -> str:
    """Concat."""
    if len(b.inputs) == 1:
        return b.input
    axis = op.axis + b.input_type.rank if op.axis < 0 else op.axis
    return b.result("Concat", *b.inputs, axis=axis)
