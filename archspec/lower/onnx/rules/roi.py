"""Pooling of regions of interest in ONNX, without RoiAlign and MaxRoiPool, which ONNX Runtime lacks at opset 22.

`roi_align` samples with GridSample and averages each bin.

`roi_pool` gathers. Where a bin lies depends on the boxes, so no fixed window can slide. But the maximum of a bin is
that of four overlapping windows of 2^i by 2^j positions, one in each of its corners. The maxima of all such windows are
computed first: log(height) times log(width) for each position.
"""

from __future__ import annotations

import numpy as np

from archspec.ir.types import DType, TensorType
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import OnnxBuilder, ValueInfo
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.roi import RoiAlign, RoiPool


@RULES.rule(RoiAlign)
def roi_align(op: RoiAlign, b: OnnxBuilder) -> str:
    """GridSample at the sample positions, with 0 for samples too far outside, and AveragePool over each bin."""
    count, channels = b.node.inputs[1].type.sizes[0], b.input_type.channels
    height, width = op.sizes
    across, down = width * op.samples, height * op.samples
    boxes = _scaled(op, b)
    if op.aligned:
        boxes = b.step("centred", "Sub", boxes, b.floats("half", 0.5), type=b.node.inputs[1].type)
    x1, y1, x2, y2 = _split(b, boxes, (count, 1))
    columns, in_columns = _samples(op, b, "x", (x1, x2), across, b.input_type.spatial[1])
    rows, in_rows = _samples(op, b, "y", (y1, y2), down, b.input_type.spatial[0])
    grid_type = b.input_type.with_sizes(count, down, across, 1)
    right, below = b.integers("right", [2, 4]), b.integers("below", [3, 4])
    columns = b.step("x/along", "Unsqueeze", columns, right, type=b.input_type.with_sizes(count, 1, across, 1))
    rows = b.step("y/along", "Unsqueeze", rows, below, type=b.input_type.with_sizes(count, down, 1, 1))
    columns = b.step("x/all", "Add", columns, b.floats("down", np.zeros((down, 1, 1))), type=grid_type)
    rows = b.step("y/all", "Add", rows, b.floats("across", np.zeros((1, across, 1))), type=grid_type)
    pairs = b.step("pairs", "Concat", columns, rows, type=grid_type.with_sizes(count, down, across, 2), axis=4)
    listed = b.integers("list", (0, count * down, across, 2))
    grid = b.step("grid", "Reshape", pairs, listed, type=grid_type.with_sizes(count * down, across, 2))
    read = b.input_type.with_sizes(channels, count * down, across)
    values = b.step("read", "GridSample", b.input, grid, type=read, padding_mode="border")
    inside = _mask(b, in_rows, in_columns, count, down, across)
    values = b.step("kept", "Mul", values, inside, type=read)
    pool = {"kernel_shape": (op.samples, op.samples), "strides": (op.samples, op.samples)}
    pooled = b.input_type.with_sizes(channels, count * height, width)
    values = b.step("mean", "AveragePool", values, type=pooled, **pool)
    bins = b.integers("bins", (0, channels, count, height, width))
    values = b.step("bins", "Reshape", values, bins, type=b.input_type.with_sizes(channels, count, height, width))
    return b.result("Transpose", values, perm=(0, 2, 1, 3, 4))


def _scaled(op: RoiAlign | RoiPool, b: OnnxBuilder) -> str:
    """The boxes in units of feature positions."""
    if op.scale == 1:
        return b.inputs[1]
    return b.step("scaled", "Mul", b.inputs[1], b.floats("scale", op.scale), type=b.node.inputs[1].type)


def _split(b: OnnxBuilder, boxes: str, sizes: tuple[int, ...]) -> tuple[str, ...]:
    """x1, y1, x2 and y2 of each box, each of these sizes."""
    shape = b.input_type.with_sizes(*sizes).shape
    outputs = [ValueInfo(f"{b.node.name}/{corner}", shape) for corner in ("x1", "y1", "x2", "y2")]
    return b.add_node(f"{b.node.name}/corners", "Split", (boxes, b.integers("ones", [1] * 4)), outputs, {"axis": 2})


def _samples(
    op: RoiAlign, b: OnnxBuilder, axis: str, ends: tuple[str, str], count: int, length: int
) -> tuple[str, str]:
    """The sample positions of each box along an axis, from -1 to 1, and a mask: 1 for each sample that counts.

    A sample counts from one position before the image to one position after it: from -1 to `length`.
    """
    boxes = b.node.inputs[1].type.sizes[0]
    per_sample = b.input_type.with_sizes(boxes, count)

    def step(label: str, kind: str, *values: str) -> str:
        return b.step(f"{axis}/{label}", kind, *values, type=per_sample)

    extent = b.step(f"{axis}/extent", "Sub", ends[1], ends[0], type=b.input_type.with_sizes(boxes, 1))
    if not op.aligned:
        one = b.floats("one", 1)
        extent = b.step(f"{axis}/least", "Max", extent, one, type=b.input_type.with_sizes(boxes, 1))
    shares = b.floats(f"{axis}/shares", (np.arange(count) + 0.5) / count)
    places = step("places", "Add", ends[0], step("steps", "Mul", extent, shares))
    middle, reach, unit = _centre(b, axis, length)
    centred = step("middle", "Sub", places, middle)
    beyond = step("beyond", "Sub", step("far", "Abs", centred), reach)
    inside = step("inside", "Sub", b.floats("one", 1), step("outside", "Sign", step("over", "Relu", beyond)))
    return step("grid", "Mul", centred, unit), inside


def _centre(b: OnnxBuilder, axis: str, length: int) -> tuple[str, str, str]:
    """For an axis: its middle position, the distance from there to one position outside, and twice 1 / length."""
    if not isinstance(length, Size):
        return b.floats("middle", (length - 1) / 2), b.floats("reach", (length + 1) / 2), b.floats("unit", 2 / length)

    def step(label: str, kind: str, *values: str, **attributes: int) -> str:
        return b.unbatched_step(f"{axis}/{label}", kind, *values, shape=(1,), dtype=DType.FLOAT32, **attributes)

    size = step("length", "Cast", b.size(length), to=_FLOAT)
    half, one = b.floats("half", 0.5), b.floats("one", 1)
    middle = step("centre", "Mul", step("less", "Sub", size, one), half)
    reach = step("reach", "Mul", step("more", "Add", size, one), half)
    return middle, reach, step("unit", "Div", b.floats("two", 2), size)


def _mask(b: OnnxBuilder, rows: str, columns: str, boxes: int, down: int, across: int) -> str:
    """The mask of the samples that count, 0 or 1, for all channels."""
    type = b.input_type
    rows = b.step("y/mask", "Unsqueeze", rows, b.integers("last", [3]), type=type.with_sizes(boxes, down, 1))
    columns = b.step("x/mask", "Unsqueeze", columns, b.integers("before", [2]), type=type.with_sizes(boxes, 1, across))
    both = b.step("mask", "Mul", rows, columns, type=type.with_sizes(boxes, down, across))
    listed = b.integers("masks", (0, 1, boxes * down, across))
    return b.step("inside", "Reshape", both, listed, type=type.with_sizes(1, boxes * down, across))


@RULES.rule(RoiPool)
def roi_pool(op: RoiPool, b: OnnxBuilder) -> str:
    """GatherND from the list of window maxima, which ends with zeros for empty bins; then the maximum of four."""
    boxes, channels, (h, w) = b.node.inputs[1].type.sizes[0], b.input_type.channels, op.sizes
    height, width = b.input_type.spatial
    count = height.bit_length() * width.bit_length() * height * width
    x1, y1, x2, y2 = _rounded_corners(op, b)
    down, across = width.bit_length() * height * width, height * width
    rows = _bins(b, "y", (y1, y2), h, height, (down, width), TensorType((boxes, h, 1), DType.INT64))
    columns = _bins(b, "x", (x1, x2), w, width, (across, 1), TensorType((boxes, 1, w), DType.INT64))
    per_bin = TensorType((boxes, h, w), DType.INT64)
    full = b.step("full", "Mul", rows[2], columns[2], type=per_bin)
    last = b.integers("last", count)
    missing = b.step("missing", "Sub", last, b.step("kept", "Mul", full, last, type=per_bin), type=per_bin)
    windows = _windows(b, count)
    listed = b.integers("list", (0, boxes * h * w, 1))
    maxima: list[str] = []
    for i, row in enumerate(rows[:2]):
        for j, column in enumerate(columns[:2]):
            index = b.step(f"place{i}{j}", "Add", row, column, type=per_bin)
            index = b.step(f"own{i}{j}", "Mul", index, full, type=per_bin)
            index = b.step(f"index{i}{j}", "Add", index, missing, type=per_bin)
            index = b.step(f"list{i}{j}", "Reshape", index, listed, type=per_bin.with_sizes(boxes * h * w, 1))
            type = b.input_type.with_sizes(boxes * h * w, channels)
            maxima.append(b.step(f"read{i}{j}", "GatherND", windows, index, type=type, batch_dims=1))
    largest = b.step("largest", "Max", *maxima, type=b.input_type.with_sizes(boxes * h * w, channels))
    shape = b.integers("bins", (0, boxes, h, w, channels))
    bins = b.step("bins", "Reshape", largest, shape, type=b.input_type.with_sizes(boxes, h, w, channels))
    return b.result("Transpose", bins, perm=(0, 1, 4, 2, 3))


_FLOAT, _INT64 = 1, 7
"""`TensorProto.FLOAT` and `TensorProto.INT64`."""


def _rounded_corners(op: RoiPool, b: OnnxBuilder) -> tuple[str, ...]:
    """x1, y1, x2 and y2 of each box, rounded to feature positions, halves away from 0.

    What is added before Floor is the number before 0.5: the sum of 0.5 and the number before it is rounded to 1.
    """
    boxes, type = _scaled(op, b), b.node.inputs[1].type
    half = b.floats("half", float(np.nextafter(np.float32(0.5), np.float32(0))))
    far = b.step("far", "Add", b.step("size", "Abs", boxes, type=type), half, type=type)
    floor = b.step("whole", "Floor", far, type=type)
    rounded = b.step("rounded", "Mul", floor, b.step("side", "Sign", boxes, type=type), type=type)
    columns = b.step("apart", "Unsqueeze", rounded, b.integers("axis", [3]), type=type.with_sizes(*type.sizes, 1))
    return _split(b, columns, (type.sizes[0], 1, 1))


def _bins(
    b: OnnxBuilder,
    axis: str,
    ends: tuple[str, str],
    count: int,
    length: int,
    strides: tuple[int, int],
    type: TensorType,
) -> tuple[str, str, str]:
    """The offsets of the first and the last window of each bin along an axis in the list of windows, and a mask.

    The mask is 1 for bins that are not empty, 0 for others.

    `strides` are the distances in the list from a window to the one twice as large, and to the next position.
    """
    one = TensorType((type.sizes[0], 1, 1))
    edges = TensorType(type.sizes)

    def step(label: str, kind: str, *values: str, type: TensorType = type, **attributes: int) -> str:
        return b.step(f"{axis}/{label}", kind, *values, type=type, **attributes)

    def edge(label: str, rounding: str, numbers: range) -> str:
        """The start or the end of each bin, limited to the image."""
        bins = b.floats(f"{axis}/{label}", np.reshape(numbers, type.sizes[1:]))
        far = step(f"{label}/far", "Mul", share, bins, type=edges)
        position = step(
            f"{label}/there", "Add", ends[0], step(f"{label}/{rounding}", rounding, far, type=edges), type=edges
        )
        position = step(f"{label}/least", "Max", position, b.floats("zero", 0), type=edges)
        position = step(f"{label}/most", "Min", position, b.floats("length", length), type=edges)
        return step(label, "Cast", position, to=_INT64)

    extent = step("apart", "Sub", ends[1], ends[0], type=one)
    extent = step("positions", "Add", extent, b.floats("one", 1), type=one)
    extent = step("extent", "Max", extent, b.floats("one", 1), type=one)
    share = step("share", "Div", extent, b.floats("count", count), type=one)
    start, stop = edge("start", "Floor", range(count)), edge("stop", "Ceil", range(1, count + 1))
    size = step("size", "Max", step("span", "Sub", stop, start), b.integers("none", 0))
    larger, further = strides
    sizes = range(length + 1)
    levels = b.integers(f"{axis}/levels", [max(size.bit_length() - 1, 0) * larger for size in sizes])
    reach = b.integers(f"{axis}/reach", [(size - (1 << size.bit_length() >> 1)) * further for size in sizes])
    inside = step("inside", "Min", start, b.integers("end", length - 1))
    near = step("row", "Mul", inside, b.integers("further", further))
    near = step("near", "Add", near, step("level", "Gather", levels, size))
    far = step("last", "Add", near, step("reach", "Gather", reach, size))
    return near, far, step("any", "Min", size, b.integers("unit", 1))


def _windows(b: OnnxBuilder, count: int) -> str:
    """The list of window maxima: a row of channels for each window size and start position, then a row of zeros."""
    windows: list[str] = []
    tensor, value = b.input_type, b.input
    height, width = tensor.spatial
    for i in range(height.bit_length()):
        window = value
        for j in range(width.bit_length()):
            windows.append(window)
            if j + 1 < width.bit_length():
                window = _doubled(b, f"window{i}.{j + 1}", window, 1, 1 << j)
        if i + 1 < height.bit_length():
            value = _doubled(b, f"window{i + 1}.0", value, 0, 1 << i)
    channels, positions = tensor.channels, height * width
    high = tensor.with_sizes(channels, len(windows) * height, width)
    joined = b.step("windows", "Concat", *windows, type=high, axis=2) if len(windows) > 1 else b.input
    shape = b.integers("flat", (0, channels, count))
    flat = b.step("flat", "Reshape", joined, shape, type=tensor.with_sizes(channels, len(windows) * positions))
    rows = b.step("rows", "Transpose", flat, type=tensor.with_sizes(count, channels), perm=(0, 2, 1))
    pads = b.integers("one more", (0, 0, 0, 0, 1, 0))
    return b.step("zeros", "Pad", rows, pads, type=tensor.with_sizes(count + 1, channels))


def _doubled(b: OnnxBuilder, label: str, value: str, axis: int, distance: int) -> str:
    """The maximum of each position and the one `distance` after it along an axis: windows of twice the size.

    Positions past the end are those of the last one; no bin reads their windows.
    """
    length = b.input_type.spatial[axis]
    behind = b.integers(f"{label}/places", [min(position + distance, length - 1) for position in range(length)])
    other = b.step(f"{label}/behind", "Gather", value, behind, type=b.input_type, axis=2 + axis)
    return b.step(label, "Max", value, other, type=b.input_type)
