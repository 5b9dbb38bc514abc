"""Regions of interest in ONNX, by GridSample: ONNX Runtime has no RoiAlign of opset 22."""

from __future__ import annotations

import numpy as np

from archspec.ir.types import DType, TensorType
from archspec.lower.onnx.builder import Emit, ValueInfo
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.roi import RoiAlign, RoiPool


@RULES.rule(RoiAlign)
def roi_align(op: RoiAlign, emit: Emit) -> str:
    """GridSample at the places of the samples, 0 where these are too far outside, and AveragePool over each bin."""
    count, channels = emit.node.inputs[1].type.sizes[0], emit.type.channels
    height, width = op.sizes
    across, down = width * op.samples, height * op.samples
    boxes = scaled(op, emit)
    if op.aligned:
        boxes = emit.step("centred", "Sub", boxes, emit.numbers("half", 0.5), type=emit.node.inputs[1].type)
    x1, y1, x2, y2 = corners(emit, boxes, (count, 1))
    columns, in_columns = _places(op, emit, "x", (x1, x2), across, emit.type.spatial[1])
    rows, in_rows = _places(op, emit, "y", (y1, y2), down, emit.type.spatial[0])
    each = emit.type.with_sizes(count, down, across, 1)
    right, below = emit.integers("right", [2, 4]), emit.integers("below", [3, 4])
    columns = emit.step("x/along", "Unsqueeze", columns, right, type=emit.type.with_sizes(count, 1, across, 1))
    rows = emit.step("y/along", "Unsqueeze", rows, below, type=emit.type.with_sizes(count, down, 1, 1))
    columns = emit.step("x/all", "Add", columns, emit.numbers("down", np.zeros((down, 1, 1))), type=each)
    rows = emit.step("y/all", "Add", rows, emit.numbers("across", np.zeros((1, across, 1))), type=each)
    pairs = emit.step("pairs", "Concat", columns, rows, type=each.with_sizes(count, down, across, 2), axis=4)
    listed = emit.integers("list", (0, count * down, across, 2))
    grid = emit.step("grid", "Reshape", pairs, listed, type=each.with_sizes(count * down, across, 2))
    read = emit.type.with_sizes(channels, count * down, across)
    values = emit.step("read", "GridSample", emit.input, grid, type=read, padding_mode="border")
    inside = _inside(emit, in_rows, in_columns, count, down, across)
    values = emit.step("kept", "Mul", values, inside, type=read)
    pool = {"kernel_shape": (op.samples, op.samples), "strides": (op.samples, op.samples)}
    pooled = emit.type.with_sizes(channels, count * height, width)
    values = emit.step("mean", "AveragePool", values, type=pooled, **pool)
    bins = emit.integers("bins", (0, channels, count, height, width))
    values = emit.step("bins", "Reshape", values, bins, type=emit.type.with_sizes(channels, count, height, width))
    return emit.last("Transpose", values, perm=(0, 2, 1, 3, 4))


def scaled(op: RoiAlign | RoiPool, emit: Emit) -> str:
    """The boxes in positions of the features."""
    if op.scale == 1:
        return emit.inputs[1]
    return emit.step("scaled", "Mul", emit.inputs[1], emit.numbers("scale", op.scale), type=emit.node.inputs[1].type)


def corners(emit: Emit, boxes: str, sizes: tuple[int, ...]) -> tuple[str, ...]:
    """x1, y1, x2 and y2 of each box, in these sizes."""
    shape = emit.type.with_sizes(*sizes).shape
    made = [ValueInfo(f"{emit.node.name}/{corner}", shape) for corner in ("x1", "y1", "x2", "y2")]
    return emit.write(f"{emit.node.name}/corners", "Split", (boxes, emit.integers("ones", [1] * 4)), made, {"axis": 2})


def _places(op: RoiAlign, emit: Emit, axis: str, ends: tuple[str, str], count: int, length: int) -> tuple[str, str]:
    """Where the samples of each box lie along an axis, from -1 to 1; and 1 for each that counts, 0 for one too far out.

    An image of `length` positions reaches from -1 to `length`: that far from its middle a sample may be.
    """
    boxes = emit.node.inputs[1].type.sizes[0]
    each = emit.type.with_sizes(boxes, count)

    def step(label: str, kind: str, *values: str) -> str:
        return emit.step(f"{axis}/{label}", kind, *values, type=each)

    extent = emit.step(f"{axis}/extent", "Sub", ends[1], ends[0], type=emit.type.with_sizes(boxes, 1))
    if not op.aligned:
        one = emit.numbers("one", 1)
        extent = emit.step(f"{axis}/least", "Max", extent, one, type=emit.type.with_sizes(boxes, 1))
    shares = emit.numbers(f"{axis}/shares", (np.arange(count) + 0.5) / count)
    places = step("places", "Add", ends[0], step("steps", "Mul", extent, shares))
    centred = step("middle", "Sub", places, emit.numbers("middle", (length - 1) / 2))
    beyond = step("beyond", "Sub", step("far", "Abs", centred), emit.numbers("reach", (length + 1) / 2))
    inside = step("inside", "Sub", emit.numbers("one", 1), step("outside", "Sign", step("over", "Relu", beyond)))
    return step("grid", "Mul", centred, emit.numbers("unit", 2 / length)), inside


def _inside(emit: Emit, rows: str, columns: str, boxes: int, down: int, across: int) -> str:
    """1 for each sample that counts, for all channels."""
    type = emit.type
    rows = emit.step("y/mask", "Unsqueeze", rows, emit.integers("last", [3]), type=type.with_sizes(boxes, down, 1))
    columns = emit.step(
        "x/mask", "Unsqueeze", columns, emit.integers("before", [2]), type=type.with_sizes(boxes, 1, across)
    )
    both = emit.step("mask", "Mul", rows, columns, type=type.with_sizes(boxes, down, across))
    listed = emit.integers("masks", (0, 1, boxes * down, across))
    return emit.step("inside", "Reshape", both, listed, type=type.with_sizes(1, boxes * down, across))


@RULES.rule(RoiPool)
def roi_pool(op: RoiPool, emit: Emit) -> str:
    """GatherND among the windows, which lie in a list, the zeros of an empty bin last."""
    boxes, channels, (h, w) = emit.node.inputs[1].type.sizes[0], emit.type.channels, op.sizes
    height, width = emit.type.spatial
    count = height.bit_length() * width.bit_length() * height * width
    x1, y1, x2, y2 = _corners(op, emit)
    down, across = width.bit_length() * height * width, height * width
    rows = _bins(emit, "y", (y1, y2), h, height, (down, width), TensorType((boxes, h, 1), DType.INT64))
    columns = _bins(emit, "x", (x1, x2), w, width, (across, 1), TensorType((boxes, 1, w), DType.INT64))
    each = TensorType((boxes, h, w), DType.INT64)
    full = emit.step("full", "Mul", rows[2], columns[2], type=each)
    last = emit.integers("last", count)
    missing = emit.step("missing", "Sub", last, emit.step("kept", "Mul", full, last, type=each), type=each)
    windows = _windows(emit, count)
    listed = emit.integers("list", (0, boxes * h * w, 1))
    found: list[str] = []
    for i, row in enumerate(rows[:2]):
        for j, column in enumerate(columns[:2]):
            place = emit.step(f"place{i}{j}", "Add", row, column, type=each)
            place = emit.step(f"own{i}{j}", "Mul", place, full, type=each)
            place = emit.step(f"index{i}{j}", "Add", place, missing, type=each)
            index = emit.step(f"list{i}{j}", "Reshape", place, listed, type=each.with_sizes(boxes * h * w, 1))
            type = emit.type.with_sizes(boxes * h * w, channels)
            found.append(emit.step(f"read{i}{j}", "GatherND", windows, index, type=type, batch_dims=1))
    largest = emit.step("largest", "Max", *found, type=emit.type.with_sizes(boxes * h * w, channels))
    shape = emit.integers("bins", (0, boxes, h, w, channels))
    bins = emit.step("bins", "Reshape", largest, shape, type=emit.type.with_sizes(boxes, h, w, channels))
    return emit.last("Transpose", bins, perm=(0, 1, 4, 2, 3))


def _corners(op: RoiPool, emit: Emit) -> tuple[str, ...]:
    """x1, y1, x2 and y2 of each box, rounded to positions of the features, halves away from 0."""
    boxes, type = scaled(op, emit), emit.node.inputs[1].type
    far = emit.step("far", "Add", emit.step("size", "Abs", boxes, type=type), emit.numbers("half", 0.5), type=type)
    whole = emit.step("whole", "Floor", far, type=type)
    rounded = emit.step("rounded", "Mul", whole, emit.step("side", "Sign", boxes, type=type), type=type)
    apart = emit.step("apart", "Unsqueeze", rounded, emit.integers("axis", [3]), type=type.with_sizes(*type.sizes, 1))
    return corners(emit, apart, (type.sizes[0], 1, 1))


def _bins(
    emit: Emit, axis: str, ends: tuple[str, str], count: int, length: int, steps: tuple[int, int], type: TensorType
) -> tuple[str, str, str]:
    """What the first and the last window of each bin along an axis add to their places; and 1 for bins that are not
    empty, 0 for others.

    `steps` are from a window to the one twice as large, and to that of the next position.
    """
    one = TensorType((type.sizes[0], 1, 1))
    each = TensorType(type.sizes)

    def step(label: str, kind: str, *values: str, type: TensorType = type, **attributes: int) -> str:
        return emit.step(f"{axis}/{label}", kind, *values, type=type, **attributes)

    def edge(label: str, rounding: str, numbers: range) -> str:
        """Where bins begin or end, in the image."""
        numbered = emit.numbers(f"{axis}/{label}", np.reshape(numbers, type.sizes[1:]))
        far = step(f"{label}/far", "Mul", share, numbered, type=each)
        there = step(f"{label}/there", "Add", ends[0], step(f"{label}/{rounding}", rounding, far, type=each), type=each)
        there = step(f"{label}/least", "Max", there, emit.numbers("zero", 0), type=each)
        there = step(f"{label}/most", "Min", there, emit.numbers("length", length), type=each)
        return step(label, "Cast", there, to=_INT64)

    extent = step("apart", "Sub", ends[1], ends[0], type=one)
    extent = step("positions", "Add", extent, emit.numbers("one", 1), type=one)
    extent = step("extent", "Max", extent, emit.numbers("one", 1), type=one)
    share = step("share", "Div", extent, emit.numbers("count", count), type=one)
    start, stop = edge("start", "Floor", range(count)), edge("stop", "Ceil", range(1, count + 1))
    size = step("size", "Max", step("span", "Sub", stop, start), emit.integers("none", 0))
    larger, further = steps
    sizes = range(length + 1)
    levels = emit.integers(f"{axis}/levels", [max(size.bit_length() - 1, 0) * larger for size in sizes])
    reach = emit.integers(f"{axis}/reach", [(size - (1 << size.bit_length() >> 1)) * further for size in sizes])
    inside = step("inside", "Min", start, emit.integers("end", length - 1))
    near = step("row", "Mul", inside, emit.integers("further", further))
    near = step("near", "Add", near, step("level", "Gather", levels, size))
    far = step("last", "Add", near, step("reach", "Gather", reach, size))
    return near, far, step("any", "Min", size, emit.integers("unit", 1))


_INT64 = 7
"""`TensorProto.INT64`."""


def _windows(emit: Emit, count: int) -> str:
    """A row of channels for each size of window and each position: the largest values from there on; zeros at last."""
    found: list[str] = []
    tensor, value = emit.type, emit.input
    height, width = tensor.spatial
    for i in range(height.bit_length()):
        window = value
        for j in range(width.bit_length()):
            found.append(window)
            if j + 1 < width.bit_length():
                window = _doubled(emit, f"window{i}.{j + 1}", window, 1, 1 << j)
        if i + 1 < height.bit_length():
            value = _doubled(emit, f"window{i + 1}.0", value, 0, 1 << i)
    channels, positions = tensor.channels, height * width
    high = tensor.with_sizes(channels, len(found) * height, width)
    joined = emit.step("windows", "Concat", *found, type=high, axis=2) if len(found) > 1 else emit.input
    shape = emit.integers("flat", (0, channels, count))
    flat = emit.step("flat", "Reshape", joined, shape, type=tensor.with_sizes(channels, len(found) * positions))
    rows = emit.step("rows", "Transpose", flat, type=tensor.with_sizes(count, channels), perm=(0, 2, 1))
    pads = emit.integers("one more", (0, 0, 0, 0, 1, 0))
    return emit.step("zeros", "Pad", rows, pads, type=tensor.with_sizes(count + 1, channels))


def _doubled(emit: Emit, label: str, value: str, axis: int, distance: int) -> str:
    """The larger of each position and the one so far behind it, or the last one, where nothing is ever read."""
    length = emit.type.spatial[axis]
    behind = emit.integers(f"{label}/places", [min(place + distance, length - 1) for place in range(length)])
    other = emit.step(f"{label}/behind", "Gather", value, behind, type=emit.type, axis=2 + axis)
    return emit.step(label, "Max", value, other, type=emit.type)
