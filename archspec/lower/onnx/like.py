"""Values brought to the size of another, in ONNX: the sizes are known, so nothing of the other is read."""

from __future__ import annotations

from archspec.lower.onnx import layout
from archspec.lower.onnx.emit import Emit
from archspec.ops.like import CropLike, UpsampleLike


def upsample_like(op: UpsampleLike, emit: Emit) -> str:
    """As `upsample` to that size."""
    return layout.upsample(op.sized(emit.node.input_types), emit)


def crop_like(op: CropLike, emit: Emit) -> str:
    """Slice."""
    return layout.cut(emit, op.starts(emit.node.input_types))
