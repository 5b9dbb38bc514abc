"""Pooling in ONNX: sliding, global and adaptive windows.

Padding is written as numbers, and so is the overhang of the last window in `ceil` mode: the meaning of `auto_pad` and
`ceil_mode` at the edges differs between versions of ONNX and between runtimes.

ONNX has no adaptive pooling. Along axes where its windows have one length and one distance it is ordinary pooling; the
other axes are gathered (maximum) or multiplied by a matrix (mean).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np

from archspec.ir.types import TensorType
from archspec.lower.dynamic.symbolic_graph import partial_rows
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import Array, AttributeValue, OnnxBuilder, ValueInfo
from archspec.lower.onnx.rules.common import (
    RULES,
    dynamic_same_window,
    gather_step,
    padded_input,
    window_attributes,
    with_size,
)
from archspec.lower.onnx.rules.dynamic_windows import dynamic_adaptive_max, dynamic_adaptive_mean
from archspec.lower.rule_table import unsupported
from archspec.ops.geometry import Pads, adaptive_bounds
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.ops.sliding import Sliding

Bounds = tuple[tuple[int, int], ...]
"""First and last position of each window along one axis."""

KernelAndStride = tuple[int, int]
"""Kernel and stride along one axis."""


@RULES.rule(MaxPool)
def max_pool(op: MaxPool, b: OnnxBuilder) -> str | tuple[str, ...]:
    """MaxPool.

    ONNX Runtime rejects padding that is not smaller than the kernel, which is valid with a dilation. Then the input is
    padded with minus infinity by a Pad before the pooling; also if the input is padded already, see `_unfused`.
    """
    if same := dynamic_same_window(op, b, float("-inf")):
        if op.indices and same[0] != b.input:
            raise unsupported("ONNX", b.node, "at dynamic sizes, its indices would be those of a padded or cut input")
        no_pads = tuple((0, 0) for _ in b.input_type.spatial)
        return _with_indices(b, *same, no_pads) if op.indices else b.result("MaxPool", same[0], **same[1])
    window = op.sliding(b.input_type)
    pads = _extended(window.pads, _overhang(op, window, b))
    value, before = b.input, _no_pads(pads)
    too_large = any(max(pair) >= kernel for pair, kernel in zip(pads, window.kernel, strict=True))
    if too_large or b.is_padded(value):
        value, before, pads = padded_input(b, pads, float("-inf")), pads, before
    attributes = _unfused(b, value, window_attributes(replace(window, pads=pads)))
    return _with_indices(b, value, attributes, before) if op.indices else b.result("MaxPool", value, **attributes)


@RULES.rule(AvgPool)
def avg_pool(op: AvgPool, b: OnnxBuilder) -> str:
    """AveragePool.

    Padding may count in the mean, the overhang never does. If padding counts and there is an overhang, a Pad before the
    pooling pads the input; also if the input is padded already, see `_unfused`.
    """
    if same := dynamic_same_window(op, b):
        return b.result("AveragePool", same[0], **same[1], **_counting(op.count_include_pad))
    window = op.sliding(b.input_type)
    value, pads, pads_count = b.input, window.pads, op.count_include_pad and any(map(any, window.pads))
    overhang = _overhang(op, window, b)
    if pads_count and (any(overhang) or b.is_padded(value)):
        value, pads, pads_count = padded_input(b, pads), _no_pads(pads), False
    attributes = _unfused(b, value, window_attributes(replace(window, pads=_extended(pads, overhang))))
    return b.result("AveragePool", value, **attributes, **_counting(pads_count))


def _counting(pads: bool) -> dict[str, int]:
    """The attribute of an average in which padding counts."""
    return {"count_include_pad": 1} if pads else {}


@RULES.rule(GlobalMaxPool)
def global_max_pool(op: GlobalMaxPool, b: OnnxBuilder) -> str:
    """GlobalMaxPool."""
    return b.result("GlobalMaxPool", b.input)


@RULES.rule(GlobalAvgPool)
def global_avg_pool(op: GlobalAvgPool, b: OnnxBuilder) -> str:
    """GlobalAveragePool."""
    return b.result("GlobalAveragePool", b.input)


@RULES.rule(AdaptiveMaxPool)
def adaptive_max_pool(op: AdaptiveMaxPool, b: OnnxBuilder) -> str:
    """MaxPool, after a Gather along the axes whose windows differ in length or distance.

    The Gather puts the rows of all windows side by side and repeats the last row of the shorter ones, which does not
    change their maximum.
    """
    if _is_dynamic(b):
        return b.result("GlobalMaxPool", b.input) if _is_global(b) else dynamic_adaptive_max(b)
    rows: dict[int, list[int]] = {}
    windows: list[KernelAndStride] = []
    for axis, bounds in enumerate(_bounds(b), start=2):
        window = _uniform(bounds)
        if window is None:
            length = max(last - first + 1 for first, last in bounds)
            rows[axis] = [min(row, last) for first, last in bounds for row in range(first, first + length)]
            window = length, length
        windows.append(window)
    if rows:
        value, _ = gather_step(b, rows)
        return b.result("MaxPool", value, **_unfused(b, value, _uniform_attributes(windows)))
    return _uniform_pool("Max", windows, b)


@RULES.rule(AdaptiveAvgPool)
def adaptive_avg_pool(op: AdaptiveAvgPool, b: OnnxBuilder) -> str:
    """AveragePool, then an Einsum along each axis whose windows differ in length or distance.

    Its matrix has a row per window, with 1 / length at the window's positions.
    """
    if _is_dynamic(b):
        return b.result("GlobalAveragePool", b.input) if _is_global(b) else dynamic_adaptive_mean(b)
    bounds = _bounds(b)
    windows = {axis: window for axis, axis_bounds in enumerate(bounds, start=2) if (window := _uniform(axis_bounds))}
    if len(windows) == len(bounds):
        return _uniform_pool("Average", list(windows.values()), b)
    value, tensor = b.input, b.input_type
    if any(window != (1, 1) for window in windows.values()):
        for axis in windows:
            tensor = with_size(tensor, axis, b.output_type.sizes[axis - 1])
        attributes = _uniform_attributes([windows.get(axis, (1, 1)) for axis in range(2, tensor.rank)])
        value = b.step("pool", "AveragePool", value, type=tensor, **_unfused(b, value, attributes))
    *others, final = (axis for axis in range(2, tensor.rank) if axis not in windows)
    for axis in others:
        means = b.floats(f"means{axis}", _mean_matrix(bounds[axis - 2]))
        tensor = with_size(tensor, axis, len(bounds[axis - 2]))
        value = b.step(f"mean{axis}", "Einsum", value, means, type=tensor, equation=_equation(tensor, axis))
    means = b.floats(f"means{final}", _mean_matrix(bounds[final - 2]))
    return b.result("Einsum", value, means, equation=_equation(tensor, final))


def _with_indices(
    b: OnnxBuilder, value: str, attributes: Mapping[str, AttributeValue], pads: Sequence[Pads]
) -> tuple[str, ...]:
    """MaxPool with its indices; `pads` are the rows by which `value` is larger than the input of the layer.

    PyTorch counts indices within a channel, ONNX over the whole tensor, so they are taken modulo the channel's size:
    between layers they are PyTorch's. In a padded channel, each row, and each plane, before a position moves it.
    """
    output, indices = b.output_info(0), b.output_info(1)
    type, sizes = b.node.outputs[1].type, b.input_type.spatial
    padded = [size + sum(pair) for size, pair in zip(sizes, pads, strict=True)]
    whole = ValueInfo(f"{b.node.name}/whole", indices.shape, indices.dtype)
    b.add_node(b.node.name, "MaxPool", (value,), (output, whole), attributes)

    def number(label: str, count: int) -> str:
        return b.size(count) if isinstance(count, Size) else b.integers(label, count)

    positions = number("positions", prod(padded))
    moved = sum(before * prod(sizes[axis:]) for axis, (before, _) in enumerate(pads, start=1))
    if not any(map(any, pads)):
        b.add_node(f"{b.node.name}/plane", "Mod", (whole.name, positions), (indices,), {})
        return output.name, indices.name
    place = position = b.step("plane", "Mod", whole.name, positions, type=type)
    for axis, pair in list(enumerate(pads))[1:]:
        if sum(pair):
            rows = b.step(f"rows{axis}", "Div", position, number(f"row{axis}", prod(padded[axis:])), type=type)
            width = number(f"added{axis}", sum(pair) * prod(sizes[axis + 1 :]))
            place = b.step(
                f"place{axis}", "Sub", place, b.step(f"moved{axis}", "Mul", rows, width, type=type), type=type
            )
    b.add_node(f"{b.node.name}/unpadded", "Sub", (place, number("moved", moved)), (indices,), {})
    return output.name, indices.name


def _overhang(op: MaxPool | AvgPool, window: Sliding, b: OnnxBuilder) -> tuple[int, ...]:
    """The rows by which the last window reaches past the padded input, along each axis.

    Along an axis of dynamic size it is as many rows as give the same windows at all sizes.
    """
    if not b.dynamic:
        return window.overhang(b.input_type.spatial, b.output_type.spatial)
    if not op.ceil:
        return tuple(0 for _ in window.kernel)
    return tuple(partial_rows(f, s, d, after) for f, s, d, (_, after) in window.axes)


def _extended(pads: Sequence[Pads], rows: Sequence[int]) -> tuple[Pads, ...]:
    """The padding with more rows at the end of each axis."""
    return tuple((before, after + more) for (before, after), more in zip(pads, rows, strict=True))


def _no_pads(pads: Sequence[Pads]) -> tuple[Pads, ...]:
    return tuple((0, 0) for _ in pads)


def _unfused(b: OnnxBuilder, value: str, attributes: dict[str, Sequence[int]]) -> dict[str, Sequence[int] | str]:
    """The attributes of a pooling that ONNX Runtime does not fuse with a Pad before it.

    The fusion turns the Pad into the pooling's own padding. Then zeros no longer take part in a maximum, and padding as
    large as the kernel is rejected. It also happens if only nodes are in between that ONNX Runtime drops, such as a
    product with 1. Poolings with `auto_pad` are not fused; VALID means no padding, which is the case.
    """
    fusible = "pads" not in attributes and b.is_padded(value)
    return {**attributes, **({"auto_pad": "VALID"} if fusible else {})}


def _bounds(b: OnnxBuilder) -> list[Bounds]:
    """The adaptive windows along each spatial axis."""
    return [adaptive_bounds(n, m) for n, m in zip(b.input_type.spatial, b.output_type.spatial, strict=True)]


def _uniform(bounds: Bounds) -> KernelAndStride | None:
    """Kernel and stride, if all windows have the same length and distance."""
    lengths = {last - first + 1 for first, last in bounds}
    steps = {after - before for (before, _), (after, _) in pairwise(bounds)}
    if len(lengths) > 1 or len(steps) > 1 or steps == {0}:
        return None
    return lengths.pop(), steps.pop() if steps else 1


def _uniform_pool(kind: str, windows: Sequence[KernelAndStride], b: OnnxBuilder) -> str:
    """Adaptive pooling whose windows are uniform along every axis."""
    if all(window == (1, 1) for window in windows):
        return b.input
    if _is_global(b):
        return b.result(f"Global{kind}Pool", b.input)
    return b.result(f"{kind}Pool", b.input, **_unfused(b, b.input, _uniform_attributes(windows)))


def _is_dynamic(b: OnnxBuilder) -> bool:
    """Whether the windows of an adaptive pooling depend on a dynamic size."""
    return any(isinstance(size, Size) for size in b.input_type.spatial)


def _is_global(b: OnnxBuilder) -> bool:
    return all(size == 1 for size in b.output_type.spatial)


def _uniform_attributes(windows: Sequence[KernelAndStride]) -> dict[str, Sequence[int]]:
    kernel, stride = zip(*windows, strict=True)
    return {"kernel_shape": kernel, "strides": stride}


def _mean_matrix(bounds: Bounds) -> Array:
    matrix = np.zeros((len(bounds), bounds[-1][1] + 1), np.float32)
    for row, (first, last) in zip(matrix, bounds, strict=True):
        row[first : last + 1] = 1 / (last - first + 1)
    return matrix


def _equation(tensor: TensorType, axis: int) -> str:
    """The product of a matrix with one axis in Einsum's notation: `nchw,Hh->ncHw`."""
    letters = "nc" + "dhw"[-len(tensor.spatial) :]
    old, new = letters[axis], letters[axis].upper()
    return f"{letters},{new}{old}->{letters.replace(old, new)}"
