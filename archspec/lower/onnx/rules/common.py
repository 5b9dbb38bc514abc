"""The rule table, and what rules of several families share: gathering, padding, window attributes, shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from archspec.ir.types import DType, TensorType
from archspec.lower.dynamic.symbolic_size import Size, same_pads, smallest
from archspec.lower.onnx.builder import AttributeValue, OnnxBuilder
from archspec.lower.rule_table import RuleTable
from archspec.ops import Op
from archspec.ops.base import per_axis
from archspec.ops.conv import Conv
from archspec.ops.geometry import Pads, extent
from archspec.ops.pool import AvgPool, MaxPool
from archspec.ops.sliding import Sliding

OnnxRule = Callable[[Any, OnnxBuilder], str | tuple[str, ...]]
"""Writes one layer with the builder and returns the name of its output, or the names of all its outputs."""

RULES: RuleTable[OnnxBuilder, str | tuple[str, ...]] = RuleTable("ONNX", "archspec/lower/onnx/rules/")


END = 2**31 - 1
"""An index past the end of any axis."""

FLOAT, BOOL = 1, 9
"""The numbers of ONNX's element types."""


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


def parts_of_axis(b: OnnxBuilder, axis: int, parts: int) -> list[str]:
    """Equal parts of the input along an axis of dynamic size; the model fails at sizes that have none."""
    sizes = b.input_type.sizes
    size = sizes[axis - 1] // parts
    cut = b.input_type.with_sizes(*sizes[: axis - 1], parts, size, *sizes[axis:])
    value = b.step("parts", "Reshape", b.input, b.integers("shape", (0, *cut.sizes)), type=cut)
    part = with_size(b.input_type, axis, size)
    return [b.step(f"part{i}", "Gather", value, b.integers("part", i), type=part, axis=axis) for i in range(parts)]


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


def padded_input(b: OnnxBuilder, pads: Sequence[Pads], value: float = 0.0, mode: str = "constant") -> str:
    """The input with its spatial axes padded; the input itself if `pads` are all 0."""
    if not any(isinstance(rows, Size) or rows for pad in pads for rows in pad):
        return b.input
    sizes = (size + sum(pair) for size, pair in zip(b.input_type.spatial, pads, strict=True))
    inputs, attributes = pad_arguments(b, mode, pads, value)
    return b.step("pad", "Pad", *inputs, type=b.input_type.with_sizes(b.input_type.channels, *sizes), **attributes)


def pad_arguments(
    b: OnnxBuilder, mode: str, pads: Sequence[Pads], value: float = 0.0
) -> tuple[tuple[str, ...], dict[str, AttributeValue]]:
    """The inputs and the attributes of the Pad of the spatial axes of the input."""
    constants = [b.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if value:
        constants.append(b.floats("value", value))
    mode = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    return (b.input, *constants), {} if mode == "constant" else {"mode": mode}


def dynamic_same_window(
    op: Conv | MaxPool | AvgPool, b: OnnxBuilder, value: float = 0.0
) -> tuple[str, dict[str, Any]] | None:
    """The input and the attributes of a window with padding `same` over axes of dynamic size; None if it is not one.

    SAME_UPPER has ONNX compute the padding that `same_pads` does: half of it before the input, an odd row after it.
    ONNX Runtime rejects it with a dilation. Then, and for rows that repeat the input, a Pad comes first.
    """
    tensor = b.input_type
    if op.padding != "same" or not any(isinstance(size, Size) for size in tensor.spatial):
        return None
    axes = len(tensor.spatial)
    kernel = per_axis(op.kind, "kernel", op.kernel, axes)
    stride = per_axis(op.kind, "stride", op.kernel if op.stride is None else op.stride, axes)
    dilation = per_axis(op.kind, "dilation", getattr(op, "dilation", 1), axes)
    window = Sliding(kernel, stride, dilation, ((0, 0),) * axes)
    mode = getattr(op, "padding_mode", "zeros")
    if all(step == 1 for step in dilation) and mode == "zeros":
        return _without_unread_rows(b, window), {**window_attributes(window), "auto_pad": "SAME_UPPER"}
    pads = [same_pads(n, extent(f, d), s) for n, (f, s, d, _) in zip(tensor.spatial, window.axes, strict=True)]
    name = padded_input(b, pads, value, "constant" if mode == "zeros" else mode)
    return name, {**window_attributes(window), **({} if isinstance(op, Conv) else {"auto_pad": "VALID"})}


def _without_unread_rows(b: OnnxBuilder, window: Sliding) -> str:
    """The input without rows after the last window: for these, ONNX Runtime computes a padding below 0 and fails."""
    tensor = b.input_type
    axes = enumerate(zip(tensor.spatial, window.axes, strict=True), start=2)
    ends = {axis: smallest((n, (n + s - 1) // s * s - s + f)) for axis, (n, (f, s, *_)) in axes if f < s}
    if not ends:
        return b.input
    sizes = [ends.get(axis, size) for axis, size in enumerate(tensor.sizes, start=1)]
    bounds = b.integers("starts", [0] * len(ends)), b.integers("ends", [*ends.values()]), b.integers("axes", [*ends])
    return b.step("slice", "Slice", b.input, *bounds, type=tensor.with_sizes(*sizes))


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
