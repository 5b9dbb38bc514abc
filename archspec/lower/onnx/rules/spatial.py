"""Padding, cropping and upsampling in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, gather, onnx_pads
from archspec.ops.spatial import CenterCrop, CropLike, Pad, PadChannels, Upsample, UpsampleLike

_END = 2**31 - 1
"""An index past the end of any axis."""


@RULES.rule(Pad)
def pad(op: Pad, b: OnnxBuilder) -> str:
    """Pad; for circular padding before opset 19, which introduced mode `wrap`, a Gather."""
    pads = op.pads(b.input_type)
    if not any(map(any, pads)):
        return b.input
    if op.mode == "circular" and b.opset < 19:
        sizes = zip(b.input_type.spatial, pads, strict=True)
        rows = {axis: np.arange(-pad[0], n + pad[1]) % n for axis, (n, pad) in enumerate(sizes, start=2) if any(pad)}
        return gather(b, rows)
    constants = [b.integers("pads", onnx_pads([(0, 0), (0, 0), *pads]))]
    if op.mode == "constant" and op.value:
        constants.append(b.floats("value", op.value))
    mode = {"replicate": "edge", "circular": "wrap"}.get(op.mode, op.mode)
    return b.result("Pad", b.input, *constants, **({} if mode == "constant" else {"mode": mode}))


@RULES.rule(PadChannels)
def pad_channels(op: PadChannels, b: OnnxBuilder) -> str:
    """Pad at the end of the channels."""
    added = op.channels - b.input_type.channels
    if not added:
        return b.input
    pads = [(0, 0), (0, added), *((0, 0) for _ in b.input_type.spatial)]
    return b.result("Pad", b.input, b.integers("pads", onnx_pads(pads)))


@RULES.rule(CenterCrop)
def center_crop(op: CenterCrop, b: OnnxBuilder) -> str:
    """Slice."""
    return _crop(b, [before for before, _ in op.pads(b.input_type)])


@RULES.rule(CropLike)
def crop_like(op: CropLike, b: OnnxBuilder) -> str:
    """Slice. The size is known, so the second input is not read."""
    return _crop(b, op.starts(b.node.input_types))


@RULES.rule(Upsample)
def upsample(op: Upsample, b: OnnxBuilder) -> str:
    """Resize; with mode nearest a Gather, unless every row is repeated equally often.

    PyTorch computes the source row of row i as floor(i * (n / m)) in float32, whose rounding decides some rows, such as
    in 14 rows to 4.
    """
    if b.output_type == b.input_type:
        return b.input
    if op.interpolates:
        return _resize(b, "linear", "align_corners" if op.align_corners else "half_pixel")
    sizes = list(zip(b.input_type.spatial, b.output_type.spatial, strict=True))
    rows = {axis: _nearest(n, m) for axis, (n, m) in enumerate(sizes, start=2) if n != m}
    if all(m % n == 0 for n, m in sizes) and all(map(_repeats_evenly, rows.values())):
        return _resize(b, "nearest", "asymmetric", nearest_mode="floor")
    return gather(b, rows)


@RULES.rule(UpsampleLike)
def upsample_like(op: UpsampleLike, b: OnnxBuilder) -> str | tuple[str, ...]:
    """As `upsample` to the size of the second input, which is known and not read."""
    return upsample(op.sized(b.node.input_types), b)


def _crop(b: OnnxBuilder, starts: Sequence[int]) -> str:
    """Slice the axes that become shorter, from these positions on; ends are counted from the end of the axis."""
    sizes = zip(starts, b.input_type.spatial, b.output_type.spatial, strict=True)
    cuts = {axis: (start, start + m - n or _END) for axis, (start, n, m) in enumerate(sizes, start=2) if n != m}
    if not cuts:
        return b.input
    first, last = zip(*cuts.values(), strict=True)
    bounds = (b.integers("starts", first), b.integers("ends", last), b.integers("axes", list(cuts)))
    return b.result("Slice", b.input, *bounds)


def _resize(b: OnnxBuilder, mode: str, coordinates: str, **attributes: str) -> str:
    """Resize by scales if they are integers, otherwise by sizes."""
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, **attributes}
    sizes = list(zip(b.input_type.spatial, b.output_type.spatial, strict=True))
    if all(m % n == 0 for n, m in sizes):
        scales = b.floats("scales", [1, 1, *(m // n for n, m in sizes)])
        return b.result("Resize", b.input, "", scales, **attributes)
    axes = range(2, b.input_type.rank)
    return b.result("Resize", b.input, "", "", b.integers("sizes", b.output_type.spatial), axes=axes, **attributes)


def _nearest(size: int, count: int) -> NDArray[np.int64]:
    """The source row of each output row, as PyTorch computes it."""
    positions = np.arange(count, dtype=np.float32) * (np.float32(size) / np.float32(count))
    rows: NDArray[np.int64] = np.floor(positions).astype(np.int64)
    return rows.clip(max=size - 1)


def _repeats_evenly(rows: NDArray[np.int64]) -> bool:
    """Whether every row occurs equally often."""
    counts = np.bincount(rows)
    return bool((counts == counts[0]).all())
