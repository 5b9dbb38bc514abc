"""Adaptive pooling and resizing along axes of dynamic size: which rows are read is computed when the model runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archspec.ir.types import DType, TensorType
from archspec.lower.dynamic.symbolic_size import same_size
from archspec.lower.onnx.builder import AttributeValue, OnnxBuilder, OnnxShape

_FLOAT, _INT64 = 1, 7
"""`TensorProto.FLOAT` and `TensorProto.INT64`."""


def dynamic_adaptive_max(b: OnnxBuilder) -> str:
    """A Gather of the rows of all windows side by side, then ReduceMax, along each axis that changes.

    The last row of shorter windows is repeated, which does not change their maximum.
    """
    value, tensor = b.input, b.input_type
    axes = _axes(b)
    for axis in axes:
        steps = _Steps(b, axis)
        size, count = tensor.sizes[axis - 1], b.output_type.sizes[axis - 1]
        first, last = steps.bounds(size, count)
        places = steps("places", "Add", first, steps.range(size // count + 2), shape=(count, None))
        rows = steps("rows", "Min", places, last, shape=(count, None))
        sizes = (*tensor.sizes[: axis - 1], count, size // count + 2, *tensor.sizes[axis:])
        value = b.step(f"take{axis}", "Gather", value, rows, type=tensor.with_sizes(*sizes), axis=axis)
        tensor = _with_size(tensor, axis, count)
        value = _step_or_result(b, f"max{axis}", "ReduceMax", value, b.integers("axes", [axis + 1]), type=tensor,
                                last=axis == axes[-1], keepdims=0)  # fmt: skip
    return value


def dynamic_adaptive_mean(b: OnnxBuilder) -> str:
    """An Einsum along each axis that changes: a row of its matrix has 1 / length at the positions of a window."""
    value, tensor = b.input, b.input_type
    axes = _axes(b)
    for axis in axes:
        steps = _Steps(b, axis)
        size, count = tensor.sizes[axis - 1], b.output_type.sizes[axis - 1]
        first, last = steps.bounds(size, count)
        positions = steps.range(size)
        begun = steps("begun", "Sub", positions, first, shape=(count, None))
        left = steps("left", "Sub", last, positions, shape=(count, None))
        depth = steps("depth", "Min", begun, left, shape=(count, None))  # at least 0 inside the window
        more = steps("more", "Add", depth, b.integers("one", 1), shape=(count, None))
        inside = steps("inside", "Max", steps("sign", "Sign", more, shape=(count, None)), b.integers("zero", 0),
                       shape=(count, None))  # fmt: skip
        ones = steps("ones", "Cast", inside, shape=(count, None), dtype=DType.FLOAT32, to=_FLOAT)
        lengths = steps("lengths", "ReduceSum", ones, b.integers("axes", [1]), shape=(count, 1), dtype=DType.FLOAT32)
        matrix = steps("means", "Div", ones, lengths, shape=(count, None), dtype=DType.FLOAT32)
        tensor = _with_size(tensor, axis, count)
        letters = "nc" + "dhw"[-len(tensor.spatial) :]
        old, new = letters[axis], letters[axis].upper()
        value = _step_or_result(b, f"mean{axis}", "Einsum", value, matrix, type=tensor, last=axis == axes[-1],
                                equation=f"{letters},{new}{old}->{letters.replace(old, new)}")  # fmt: skip
    return value


def dynamic_nearest(b: OnnxBuilder) -> str:
    """A Gather of row floor(i * (n / m)) for each row i, in float32 as PyTorch, along each axis that changes."""
    value, tensor = b.input, b.input_type
    axes = _axes(b)
    for axis in axes:
        steps = _Steps(b, axis)
        size, count = tensor.sizes[axis - 1], b.output_type.sizes[axis - 1]
        sizes = (
            steps(label, "Cast", b.size(number), shape=(1,), dtype=DType.FLOAT32, to=_FLOAT)
            for label, number in (("old", size), ("new", count))
        )
        ratio = steps("ratio", "Div", *sizes, shape=(1,), dtype=DType.FLOAT32)
        numbers = steps("numbers", "Cast", steps.range(count), shape=(None,), dtype=DType.FLOAT32, to=_FLOAT)
        places = steps("places", "Mul", numbers, ratio, shape=(None,), dtype=DType.FLOAT32)
        rows = steps("rows", "Cast", places, shape=(None,), to=_INT64)
        limited = steps("limited", "Min", rows, b.size(size - 1), shape=(None,))
        tensor = _with_size(tensor, axis, count)
        value = _step_or_result(b, f"take{axis}", "Gather", value, limited, type=tensor, last=axis == axes[-1],
                                axis=axis)  # fmt: skip
    return value


class _Steps:
    """Writes the nodes that compute rows along one axis."""

    def __init__(self, b: OnnxBuilder, axis: int) -> None:
        self.b, self.axis = b, axis

    def __call__(
        self,
        label: str,
        op: str,
        *inputs: str,
        shape: OnnxShape,
        dtype: DType = DType.INT64,
        **attributes: AttributeValue,
    ) -> str:
        return self.b.unbatched_step(f"{label}{self.axis}", op, *inputs, shape=shape, dtype=dtype, **attributes)

    def range(self, size: int) -> str:
        """The numbers from 0 up to, but not, a size."""
        limit = self("limit", "Squeeze", self.b.size(size), self.b.integers("axes", [0]), shape=())
        return self("range", "Range", self.b.integers("zero", 0), limit, self.b.integers("one", 1), shape=(None,))

    def bounds(self, size: int, count: int) -> tuple[str, str]:
        """First and last position of each window of an adaptive pooling, as columns: see `adaptive_bounds`."""
        numbers, total = np.arange(count)[:, None], self.b.size(size)
        divisor = self.b.integers("count", [[count]])
        edges = self("edges", "Mul", self.b.integers(f"numbers{self.axis}", numbers), total, shape=(count, 1))
        first = self("first", "Div", edges, divisor, shape=(count, 1))
        nexts = self("nexts", "Mul", self.b.integers(f"nexts{self.axis}", numbers + 1), total, shape=(count, 1))
        less = self("less", "Sub", nexts, self.b.integers("one", [[1]]), shape=(count, 1))
        return first, self("last", "Div", less, divisor, shape=(count, 1))


def _axes(b: OnnxBuilder) -> Sequence[int]:
    """The axes that change."""
    pairs = zip(b.input_type.spatial, b.output_type.spatial, strict=True)
    return [axis for axis, (size, count) in enumerate(pairs, start=2) if not same_size(size, count)]


def _with_size(tensor: TensorType, axis: int, size: int) -> TensorType:
    return tensor.with_sizes(*tensor.sizes[: axis - 1], size, *tensor.sizes[axis:])


def _step_or_result(
    b: OnnxBuilder, label: str, op: str, *inputs: str, type: TensorType, last: bool, **attributes: AttributeValue
) -> str:
    return b.result(op, *inputs, **attributes) if last else b.step(label, op, *inputs, type=type, **attributes)
