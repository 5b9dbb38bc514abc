"""Ops that move elements, in ONNX. The batch is never written as a number: a 0 in a shape keeps what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import take
from archspec.lower.onnx.rules.conv import onnx_pads
from archspec.ops import Op
from archspec.ops.reshape import Flatten, Permute, Reshape, Select
from archspec.ops.spatial import CenterCrop, Pad, PadChannels, Upsample


def passes(op: Op, emit: Emit) -> str:
    """A layer that does nothing at inference: what reads it reads its input."""
    return emit.input


def flatten(op: Flatten, emit: Emit) -> str:
    """Flatten, which leaves two axes; Reshape where more are left."""
    if len(emit.output.sizes) == 1:
        return emit.last("Flatten", emit.input, axis=1)
    return emit.last("Reshape", emit.input, emit.integers("shape", (0, *emit.output.sizes)))


def reshape(op: Reshape, emit: Emit) -> str:
    """Reshape, with -1 worked out."""
    return emit.last("Reshape", emit.input, emit.integers("shape", (0, *emit.output.sizes)))


def permute(op: Permute, emit: Emit) -> str:
    """Transpose."""
    return emit.last("Transpose", emit.input, perm=(0, *op.order))


def select(op: Select, emit: Emit) -> str:
    """Gather."""
    return take(emit, {op.place(emit.type): op.indices})


def pad(op: Pad, emit: Emit) -> str:
    """Mode `wrap` is as old as opset 19; before it, the rows of the other side are taken again."""
    pads = op.pads(emit.type)
    if not any(map(any, pads)):
        return emit.input
    if op.mode == "circular" and emit.opset < 19:
        sizes = zip(emit.type.spatial, pads, strict=True)
        rows = {axis: np.arange(-pad[0], n + pad[1]) % n for axis, (n, pad) in enumerate(sizes, start=2) if any(pad)}
        return take(emit, rows)
    constants = [emit.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if op.mode == "constant" and op.value:
        constants.append(emit.numbers("value", op.value))
    mode = {"replicate": "edge", "circular": "wrap"}.get(op.mode, op.mode)
    return emit.last("Pad", emit.input, *constants, **({} if mode == "constant" else {"mode": mode}))


def pad_channels(op: PadChannels, emit: Emit) -> str:
    """Pad, after the channels."""
    added = op.channels - emit.type.channels
    if not added:
        return emit.input
    pads = [(0, 0), (0, added), *((0, 0) for _ in emit.type.spatial)]
    return emit.last("Pad", emit.input, emit.integers("pads", onnx_pads(pads)))


def center_crop(op: CenterCrop, emit: Emit) -> str:
    """Slice."""
    return cut(emit, [before for before, _ in op.pads(emit.type)])


_END = 2**31 - 1
"""Past the end of any axis."""


def cut(emit: Emit, starts: Sequence[int]) -> str:
    """Slice, from these positions on, of the axes that become shorter. Where it ends is counted from the end."""
    sizes = zip(starts, emit.type.spatial, emit.output.spatial, strict=True)
    cuts = {axis: (start, start + m - n or _END) for axis, (start, n, m) in enumerate(sizes, start=2) if n != m}
    if not cuts:
        return emit.input
    first, last = zip(*cuts.values(), strict=True)
    bounds = (emit.integers("starts", first), emit.integers("ends", last), emit.integers("axes", list(cuts)))
    return emit.last("Slice", emit.input, *bounds)


def upsample(op: Upsample, emit: Emit) -> str:
    """With mode nearest, PyTorch's output i repeats input floor(i * (n / m)), worked out in float32: rounding decides
    some rows, as where 14 rows become 4. Only where that comes to an equal number of each row is it ONNX's Resize.
    """
    if emit.output == emit.type:
        return emit.input
    if op.interpolates:
        return _resize(emit, "linear", "align_corners" if op.align_corners else "half_pixel")
    sizes = list(zip(emit.type.spatial, emit.output.spatial, strict=True))
    rows = {axis: _nearest(n, m) for axis, (n, m) in enumerate(sizes, start=2) if n != m}
    if all(m % n == 0 for n, m in sizes) and all(_even(own) for own in rows.values()):
        return _resize(emit, "nearest", "asymmetric", nearest_mode="floor")
    return take(emit, rows)


def _resize(emit: Emit, mode: str, coordinates: str, **attributes: str) -> str:
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, **attributes}
    sizes = list(zip(emit.type.spatial, emit.output.spatial, strict=True))
    if all(m % n == 0 for n, m in sizes):
        scales = emit.numbers("scales", [1, 1, *(m // n for n, m in sizes)])
        return emit.last("Resize", emit.input, "", scales, **attributes)
    axes = range(2, emit.type.rank)
    return emit.last("Resize", emit.input, "", "", emit.integers("sizes", emit.output.spatial), axes=axes, **attributes)


def _nearest(size: int, count: int) -> NDArray[np.int64]:
    """The input row each output row repeats, as PyTorch computes it."""
    places = np.arange(count, dtype=np.float32) * (np.float32(size) / np.float32(count))
    rows: NDArray[np.int64] = np.floor(places).astype(np.int64)
    return rows.clip(max=size - 1)


def _even(rows: NDArray[np.int64]) -> bool:
    """Whether every row comes equally often."""
    times = np.bincount(rows)
    return bool((times == times[0]).all())
