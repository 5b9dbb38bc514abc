"""Values brought to the size of another, in ONNX: the sizes are known, so nothing of the other is read."""

from __future__ import annotations

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules import reshape
from archspec.ops.spatial import CropLike, UpsampleLike


def upsample_like(op: UpsampleLike, emit: Emit) -> str:
    """As `upsample` to that size."""
    return reshape.upsample(op.sized(emit.node.input_types), emit)


def crop_like(op: CropLike, emit: Emit) -> str:
    """Slice."""
    return reshape.cut(emit, op.starts(emit.node.input_types))
