"""Regions of interest in ONNX, by GridSample: ONNX Runtime has no RoiAlign of opset 22."""

from __future__ import annotations

import numpy as np

from archspec.lower.onnx.builder import Emit, ValueInfo
from archspec.ops.roi import RoiAlign, RoiPool


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
