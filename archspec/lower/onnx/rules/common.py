"""Axes in ONNX: values taken apart along them, shapes with the batch, weights that meet channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from archspec.ir.types import DType, TensorType
from archspec.lower.onnx.builder import Emit


def resized(tensor: TensorType, axis: int, size: int) -> TensorType:
    """The type with another size along one axis; axes count from the batch, axis 0."""
    return tensor.with_sizes(*tensor.sizes[: axis - 1], size, *tensor.sizes[axis:])


def taken(emit: Emit, rows: Mapping[int, ArrayLike]) -> tuple[str, TensorType]:
    """The input with the rows listed for some axes, in that order, as a value on the way."""
    value, tensor = emit.input, emit.type
    for axis, places in rows.items():
        indices = emit.integers(f"rows{axis}", places)
        tensor = resized(tensor, axis, len(emit.program.constants[indices]))
        value = emit.step(f"take{axis}", "Gather", value, indices, type=tensor, axis=axis)
    return value, tensor


def take(emit: Emit, rows: Mapping[int, ArrayLike]) -> str:
    """As `taken`, as what the layer makes."""
    *others, final = rows
    value, _ = taken(emit, {axis: rows[axis] for axis in others})
    return emit.last("Gather", value, emit.integers(f"rows{final}", rows[final]), axis=final)


def with_batch(emit: Emit, sizes: Sequence[int]) -> str:
    """A shape as a value: the size of the batch, and these sizes."""
    batch = emit.form("batch", "Shape", emit.input, shape=(1,), dtype=DType.INT64, start=0, end=1)
    rest = emit.integers("rest", sizes)
    return emit.form("shape", "Concat", batch, rest, shape=(1 + len(sizes),), dtype=DType.INT64, axis=0)


def a_channel(emit: Emit, label: str, weight: str) -> str:
    """A weight of one number a channel, with axes after it to meet the spatial ones."""
    axes = range(1, emit.type.rank - 1)
    if not axes:
        return weight
    shape = (emit.type.channels, *(1 for _ in axes))
    return emit.form(label, "Unsqueeze", weight, emit.integers("axes", axes), shape=shape)
