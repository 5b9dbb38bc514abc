"""Padding, cropping and resizing of spatial axes in ONNX. The batch is never written as a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, onnx_pads, take
from archspec.ops.spatial import CenterCrop, CropLike, Pad, PadChannels, Upsample, UpsampleLike


@RULES.rule(UpsampleLike)
def upsample_like(op: UpsampleLike, emit: Emit) -> str:
    """As `upsample` to that size, which is known: nothing of the second value is read."""
    return _upsampled(op.sized(emit.node.input_types), emit)


@RULES.rule(CropLike)
def crop_like(op: CropLike, emit: Emit) -> str:
    """Slice."""
    return cut(emit, op.starts(emit.node.input_types))


@RULES.rule(Pad)
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


@RULES.rule(PadChannels)
def pad_channels(op: PadChannels, emit: Emit) -> str:
    """Pad, after the channels."""
    added = op.channels - emit.type.channels
    if not added:
        return emit.input
    pads = [(0, 0), (0, added), *((0, 0) for _ in emit.type.spatial)]
    return emit.last("Pad", emit.input, emit.integers("pads", onnx_pads(pads)))


@RULES.rule(CenterCrop)
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


@RULES.rule(Upsample)
def upsample(op: Upsample, emit: Emit) -> str:
    """With mode nearest, PyTorch's output i repeats input floor(i * (n / m)), worked out in float32: rounding decides
    some rows, as where 14 rows become 4. Only where that comes to an equal number of each row is it ONNX's Resize.
    """
    return _upsampled(op, emit)


def _upsampled(op: Upsample, emit: Emit) -> str:
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
