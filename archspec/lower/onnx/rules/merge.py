"""Merging several values into one, in ONNX."""

from __future__ import annotations

from archspec.ir.types import DType, TensorType
from archspec.lower.dynamic.symbolic_size import Size, same_size, smallest
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import BOOL, FLOAT, RULES
from archspec.ops import Op
from archspec.ops.merge import (
    COMPARISONS,
    Add,
    Arithmetic,
    Broadcast,
    Comparison,
    Concat,
    Div,
    Equal,
    Greater,
    GreaterEqual,
    Join,
    Less,
    LessEqual,
    Max,
    Mean,
    Min,
    Mul,
    NotEqual,
    Pow,
    Stack,
    Sub,
    Where,
)

_OPERATORS: dict[type[Op], str] = {
    Add: "Add", Sub: "Sub", Mul: "Mul", Div: "Div", Pow: "Pow", Min: "Min", Max: "Max", Mean: "Mean",
    Equal: "Equal", NotEqual: "Equal", Greater: "Greater", GreaterEqual: "GreaterOrEqual", Less: "Less",
    LessEqual: "LessOrEqual",
}  # fmt: skip

_VARIADIC: dict[type[Op], str] = {Add: "Sum", Mean: "Mean", Min: "Min", Max: "Max"}
"""The ONNX operators for more than two inputs."""


@RULES.rule(*(op for op in _OPERATORS if not issubclass(op, Comparison)))
def arithmetic(op: Op, b: OnnxBuilder) -> str:
    """One ONNX operator for all values, or one for each but the first."""
    assert isinstance(op, Broadcast)
    if op.returns_its_input(len(b.inputs)):
        return b.input
    operator = _OPERATORS[type(op)]
    if isinstance(op, Arithmetic) and op.number is not None:
        return b.result(operator, b.input, b.floats("number", op.number))
    values = _values(op, b)
    if len(values) > 2 and type(op) in _VARIADIC:
        return b.result(_VARIADIC[type(op)], *(name for name, _ in values))
    joined, tensor = values[0]
    for i, (name, type_) in enumerate(values[1:-1], start=1):
        tensor = _broadcast(tensor, type_)
        joined = b.step(f"product{i}", operator, joined, name, type=tensor)
    return b.result(operator, joined, values[-1][0])


@RULES.rule(*COMPARISONS)
def comparison(op: Comparison, b: OnnxBuilder) -> str:
    """A comparison, and a Cast to numbers."""
    operands = [name for name, _ in _values(op, b)]
    if op.number is not None:
        number = b.floats if b.input_type.dtype is DType.FLOAT32 else b.integers
        operands.append(number("number", op.number))
    truth = b.truth("truth", _OPERATORS[type(op)], *operands, type=b.output_type)
    if isinstance(op, NotEqual):
        truth = b.truth("opposite", "Not", truth, type=b.output_type)
    return b.result("Cast", truth, to=FLOAT)


@RULES.rule(Where)
def where(op: Where, b: OnnxBuilder) -> str:
    """Cast of the condition, and Where."""
    (condition, tensor), *values = _values(op, b)
    truth = b.truth("truth", "Cast", condition, type=tensor, to=BOOL)
    number = [] if op.number is None else [b.floats("number", op.number)]
    return b.result("Where", truth, *(name for name, _ in values), *number)


def _values(op: Join, b: OnnxBuilder) -> list[tuple[str, TensorType]]:
    """The values that are joined, with their types."""
    return _cropped(b) if _crops(op, b) else list(zip(b.inputs, b.node.input_types, strict=True))


def _broadcast(one: TensorType, other: TensorType) -> TensorType:
    """The type of two values joined; sizes may be formulas."""
    pairs = zip(one.sizes, other.sizes, strict=True)
    return one.with_sizes(*(b if not isinstance(a, Size) and a == 1 else a for a, b in pairs))


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


@RULES.rule(Stack)
def stack(op: Stack, b: OnnxBuilder) -> str:
    """Unsqueeze for each value, then Concat."""
    axis = op.added(b.input_type)
    added = b.integers("axes", [axis])
    one = b.input_type.with_sizes(*b.input_type.sizes[: axis - 1], 1, *b.input_type.sizes[axis - 1 :])
    parts = [b.step(f"part{i}", "Unsqueeze", name, added, type=one) for i, name in enumerate(b.inputs)]
    return b.result("Concat", *parts, axis=axis)
