"""The rule table, and what rules of several families share: gathering, padding, window attributes, shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from archspec.ir.types import DType, TensorType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.rule_table import RuleTable
from archspec.ops import Op
from archspec.ops.geometry import Pads
from archspec.ops.sliding import Sliding

OnnxRule = Callable[[Any, OnnxBuilder], str | tuple[str, ...]]
"""Writes one layer with the builder and returns the name of its output, or the names of all its outputs."""

RULES: RuleTable[OnnxBuilder, str | tuple[str, ...]] = RuleTable("ONNX", "archspec/lower/onnx/rules/")


def identity(op: Op, b: OnnxBuilder) -> str:
    """No node, for ops that do nothing at inference: readers of the layer read its input."""
    return b.input


def with_size(tensor: TensorType, axis: int, size: int) -> TensorType:
    """The type with another size along one axis; axes count from the batch, axis 0."""
    return tensor.with_sizes(*tensor.sizes[: axis - 1], size, *tensor.sizes[axis:])


def gather_step(b: OnnxBuilder, indices: Mapping[int, ArrayLike]) -> tuple[str, TensorType]:
    """Gather the listed indices of some axes of the input, as an intermediate value; its name and type."""
    value, tensor = b.input, b.input_type
    for axis, rows in indices.items():
        constant = b.integers(f"rows{axis}", rows)
        tensor = with_size(tensor, axis, len(b.constant(constant)))
        value = b.step(f"take{axis}", "Gather", value, constant, type=tensor, axis=axis)
    return value, tensor


def gather(b: OnnxBuilder, indices: Mapping[int, ArrayLike]) -> str:
    """Gather the listed indices of some axes of the input, as the layer's output."""
    *others, final = indices
    value, _ = gather_step(b, {axis: indices[axis] for axis in others})
    return b.result("Gather", value, b.integers(f"rows{final}", indices[final]), axis=final)


def batched_shape(b: OnnxBuilder, sizes: Sequence[int]) -> str:
    """A shape, as a value computed at run time: the batch size, then these sizes."""
    batch = b.unbatched_step("batch", "Shape", b.input, shape=(1,), dtype=DType.INT64, start=0, end=1)
    rest = b.integers("rest", sizes)
    return b.unbatched_step("shape", "Concat", batch, rest, shape=(1 + len(sizes),), dtype=DType.INT64, axis=0)


def per_channel(b: OnnxBuilder, label: str, weight: str) -> str:
    """A weight with one element per channel, unsqueezed to broadcast over the spatial axes."""
    axes = range(1, b.input_type.rank - 1)
    if not axes:
        return weight
    shape = (b.input_type.channels, *(1 for _ in axes))
    return b.unbatched_step(label, "Unsqueeze", weight, b.integers("axes", axes), shape=shape)


def vector_lengths(b: OnnxBuilder, axis: int) -> tuple[str, TensorType]:
    """The L2 norms of the input's vectors along one axis, which keeps size 1; name and type."""
    tensor = with_size(b.input_type, axis, 1)
    return b.step("length", "ReduceL2", b.input, b.integers("axes", [axis]), type=tensor, keepdims=1), tensor


def onnx_pads(pads: Sequence[Pads]) -> list[int]:
    """Padding in ONNX's order: the start of every axis, then the end of every axis."""
    return [before for before, _ in pads] + [after for _, after in pads]


def padded_input(b: OnnxBuilder, pads: Sequence[Pads], value: float = 0.0) -> str:
    """The input with its spatial axes padded with one value; the input itself if `pads` are all 0."""
    if not any(map(any, pads)):
        return b.input
    sizes = (size + sum(pair) for size, pair in zip(b.input_type.spatial, pads, strict=True))
    constants = [b.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if value:
        constants.append(b.floats("padding", value))
    return b.step("pad", "Pad", b.input, *constants, type=b.input_type.with_sizes(b.input_type.channels, *sizes))


def window_attributes(window: Sliding) -> dict[str, Sequence[int]]:
    """The attributes of a sliding window; ONNX's defaults are left out."""
    attributes: dict[str, Sequence[int]] = {"kernel_shape": window.kernel}
    if any(step > 1 for step in window.stride):
        attributes["strides"] = window.stride
    if any(map(any, window.pads)):
        attributes["pads"] = onnx_pads(window.pads)
    if any(step > 1 for step in window.dilation):
        attributes["dilations"] = window.dilation
    return attributes
