"""Joins, and operators that only move values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.onnx_nodes.reading import Array, Example, Layer, NotApplicable, along, plain, reads

JOINS = {
    "Add": "add", "Sum": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Max": "max", "Min": "min",
    "Mean": "mean",
}  # fmt: skip


@reads(*JOINS)
def _join(example: Example) -> Layer:
    return plain(JOINS[example.operator], example)


@reads("Concat")
def _concat(example: Example) -> Layer:
    axis, room = along(example, example.attributes["axis"])
    inputs = tuple(room(array) for array in example.inputs if array is not None)
    return Layer("concat", {"axis": axis}, inputs, room(example.outputs[0]))


@reads("Flatten")
def _flatten(example: Example) -> Layer:
    axis = example.attributes.get("axis", 1)
    axis += example.x.ndim if axis < 0 else 0
    if axis > 1:
        raise NotApplicable("merges axes into the batch")
    return Layer("flatten", {}, (example.x if axis else example.x[None],), example.outputs[0])


@reads("Reshape", "Squeeze", "Unsqueeze")
def _reshape(example: Example) -> Layer:
    output = example.outputs[0]
    written = example.numbers(1) if example.operator == "Reshape" else None
    sizes = output.shape if written is None else tuple(size or output.shape[i] for i, size in enumerate(written))
    return Layer("reshape", {"sizes": list(sizes)}, (example.x[None],), output[None])


@reads("Transpose")
def _permute(example: Example) -> Layer:
    order = list(example.attributes.get("perm", range(example.x.ndim)[::-1]))
    if order[0] == 0:
        return Layer("permute", {"order": order[1:]}, (example.x,), example.outputs[0])
    return Layer("permute", {"order": [axis + 1 for axis in order]}, (example.x[None],), example.outputs[0][None])


@reads("Gather")
def _gather(example: Example) -> Layer:
    indices = example.needed(1)
    if indices.ndim != 1:
        raise NotApplicable("indices that add or remove an axis")
    return _selection(example, example.attributes.get("axis", 0), indices)


@reads("Slice")
def _slice(example: Example) -> Layer:
    starts, ends = (example.numbers(index) or [] for index in (1, 2))
    axes = example.numbers(3) or range(len(starts))
    steps = example.numbers(4) or [1] * len(starts)
    kept = {
        axis: np.arange(example.x.shape[axis])[start:end:step]
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
    }
    cut = {axis: rows for axis, rows in kept.items() if rows.size != example.x.shape[axis]}
    if len(cut) != 1:
        raise NotApplicable("slices several axes at once")
    ((axis, rows),) = cut.items()
    if rows.size == 0 or rows[0] > rows[-1]:
        return _selection(example, axis, rows)  # backwards, which `slice` does not support
    axis, room = along(example, axis)
    step = int(rows[1] - rows[0]) if rows.size > 1 else 1
    attributes = {"axis": axis, "start": int(rows[0]), "end": int(rows[-1]) + 1, "step": step}
    return Layer("slice", attributes, (room(example.x),), room(example.outputs[0]))


@reads("Split")
def _split(example: Example) -> Layer:
    axis, room = along(example, example.attributes.get("axis", 0))
    ports = {str(i): room(output) for i, output in enumerate(example.outputs)}
    sizes = [output.shape[axis] for output in ports.values()]
    written: dict[str, Any] = {"sizes": sizes} if len(set(sizes)) > 1 else {"parts": len(sizes)}
    return Layer("split", written | {"axis": axis}, (room(example.x),), ports)


@reads("DepthToSpace", "SpaceToDepth")
def _pixels(example: Example) -> Layer:
    if example.attributes.get("mode", "DCR") != "CRD" and min(example.x.shape[1], example.outputs[0].shape[1]) > 1:
        raise NotApplicable("channels in TensorFlow's order")
    kind = "pixel_shuffle" if example.operator == "DepthToSpace" else "pixel_unshuffle"
    return Layer(kind, {"factor": example.attributes["blocksize"]}, (example.x,), example.outputs[0])


def _selection(example: Example, axis: int, indices: Array) -> Layer:
    size = example.x.shape[axis]
    axis, room = along(example, axis)
    attributes = {"axis": axis, "indices": [int(index) % size for index in indices]}
    return Layer("select", attributes, (room(example.x),), room(example.outputs[0]))


@reads("Pad")
def _pad(example: Example) -> Layer:
    given, value = example.numbers(1) or [], example.optional(2)
    axes = example.numbers(3) or range(example.x.ndim)
    pads = {axis % example.x.ndim: [given[i], given[i + len(axes)]] for i, axis in enumerate(axes)}
    if any(any(pads.get(axis, ())) for axis in (0, 1)):
        raise NotApplicable("pads the batch or the channels")
    mode = {"edge": "replicate", "wrap": "circular"}.get(name := example.attributes.get("mode", "constant"), name)
    padding = [pads.get(axis, [0, 0]) for axis in range(2, example.x.ndim)]
    attributes = {"padding": padding, "mode": mode} | ({} if value is None else {"value": value.item()})
    if example.x.dtype == np.int32:  # padding moves values only, so float32 gives the same result
        return Layer("pad", attributes, (example.x.astype(np.float32),), example.outputs[0].astype(np.float32))
    return Layer("pad", attributes, (example.x,), example.outputs[0])


@reads("CenterCropPad")
def _center_crop(example: Example) -> Layer:
    sizes = example.outputs[0].shape
    if any(m > n for n, m in zip(example.x.shape, sizes, strict=True)):
        raise NotApplicable("pads an input smaller than the crop")
    return Layer("center_crop", {"size": list(sizes)}, (example.x[None, None],), example.outputs[0][None, None])
