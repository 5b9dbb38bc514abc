"""Merging several values into one, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.lower.onnx.symbolic_size import Size, same_size, smallest
from archspec.ops import Op
from archspec.ops.merge import Add, Concat, Join, Max, Mean, Mul

_VARIADIC: dict[type[Op], tuple[str, str]] = {Add: ("Add", "Sum"), Mean: ("Mean", "Mean"), Max: ("Max", "Max")}
"""The ONNX operators for two inputs and for more."""


@RULES.rule(*_VARIADIC)
def variadic(op: Op, b: OnnxBuilder) -> str:
    """One ONNX operator for all inputs."""
    if len(b.inputs) == 1:
        return b.input
    two, more = _VARIADIC[type(op)]
    kind = two if len(b.inputs) == 2 else more
    if _crops(op, b):
        return b.result(kind, *(name for name, _ in _cropped(b)))
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
    values = _cropped(b) if _crops(op, b) else list(zip(b.inputs, b.node.input_types, strict=True))
    product, tensor = values[0]
    for i, (name, type) in enumerate(values[1:-1], start=1):
        pairs = zip(tensor.sizes, type.sizes, strict=True)
        tensor = tensor.with_sizes(*(b if not isinstance(a, Size) and a == 1 else a for a, b in pairs))
        product = b.step(f"product{i}", "Mul", product, name, type=tensor)
    return b.result("Mul", product, values[-1][0])


@RULES.rule(Concat)
def concat(op: Concat, b: OnnxBuilder) -> str:
    """Concat."""
    if len(b.inputs) == 1:
        return b.input
    axis = op.axis + b.input_type.rank if op.axis < 0 else op.axis
    inputs = [name for name, _ in _cropped(b)] if b.dynamic and op.crops else b.inputs
    return b.result("Concat", *inputs, axis=axis)


def _crops(op: Op, b: OnnxBuilder) -> bool:
    """Whether a join crops its inputs: at fixed sizes the graph has crops before it."""
    return b.dynamic and isinstance(op, Join) and op.crops


def _cropped(b: OnnxBuilder) -> list[tuple[str, TensorType]]:
    """The inputs, cropped to the smallest of their sizes along each axis, with their types."""
    sizes = [smallest(axis) for axis in zip(*(type.spatial for type in b.node.input_types), strict=True)]
    values: list[tuple[str, TensorType]] = []
    for i, (name, type) in enumerate(zip(b.inputs, b.node.input_types, strict=True)):
        axes = [axis for axis, pair in enumerate(zip(type.spatial, sizes, strict=True)) if not same_size(*pair)]
        cropped = type.with_sizes(type.channels, *sizes)
        value = name
        if axes:
            starts = [(type.spatial[axis] - sizes[axis]) // 2 for axis in axes]
            ends = [start + sizes[axis] for start, axis in zip(starts, axes, strict=True)]
            bounds = (
                b.integers("starts", starts),
                b.integers("ends", ends),
                b.integers("axes", [2 + axis for axis in axes]),
            )
            value = b.step(f"crop{i}", "Slice", name, *bounds, type=cropped)
        values.append((value, cropped))
    return values
