"""The table of rules, and what rules of several families use: axes, padding, shapes with the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from archspec.ir.types import DType, TensorType
from archspec.lower.onnx.builder import Emit
from archspec.lower.rule_table import RuleTable
from archspec.ops import Op
from archspec.ops.geometry import Pads
from archspec.ops.sliding import Sliding

Rule = Callable[[Any, Emit], str | tuple[str, ...]]
"""Writes one layer, of an op of the class it is registered for."""

RULES: RuleTable[Emit, str | tuple[str, ...]] = RuleTable("ONNX", "archspec/lower/onnx/rules/")
"""The rules of this target: functions `(op, emit)` that write one layer and return the name of its value, or the names
of all its values. The modules beside this one register them."""


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


def identity(op: Op, emit: Emit) -> str:
    """A layer that does nothing at inference: what reads it reads its input."""
    return emit.input


def padded(emit: Emit, pads: Sequence[Pads], value: float = 0.0) -> str:
    """The input with rows of one value around its spatial axes; the input itself if there are none."""
    if not any(map(any, pads)):
        return emit.input
    sizes = (size + sum(pair) for size, pair in zip(emit.type.spatial, pads, strict=True))
    constants = [emit.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if value:
        constants.append(emit.numbers("padding", value))
    return emit.step("pad", "Pad", emit.input, *constants, type=emit.type.with_sizes(emit.type.channels, *sizes))


def onnx_pads(pads: Sequence[Pads]) -> list[int]:
    """Padding as ONNX lists it: before every axis, then after every axis."""
    return [before for before, _ in pads] + [after for _, after in pads]


def window_attributes(window: Sliding) -> dict[str, Sequence[int]]:
    """The attributes of a window; what is ONNX's default is left out."""
    given: dict[str, Sequence[int]] = {"kernel_shape": window.kernel}
    if any(step > 1 for step in window.stride):
        given["strides"] = window.stride
    if any(map(any, window.pads)):
        given["pads"] = onnx_pads(window.pads)
    if any(step > 1 for step in window.dilation):
        given["dilations"] = window.dilation
    return given


def vector_length(emit: Emit, place: int) -> tuple[str, TensorType]:
    """The lengths of the vectors along one axis, which stays with size 1."""
    tensor = resized(emit.type, place, 1)
    return emit.step("length", "ReduceL2", emit.input, emit.integers("axes", [place]), type=tensor, keepdims=1), tensor


def named(kind: str) -> Callable[[Op, Emit], str]:
    """The rule of an op that is one of ONNX's, without attributes."""
    return lambda op, emit: emit.last(kind, emit.input)
