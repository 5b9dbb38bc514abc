"""Convolutions and poolings that slide, in ONNX.

All padding is written out as numbers, and so are the rows that a last window hangs over the end where `ceil` lets it:
what `auto_pad` and `ceil_mode` mean at the edges has changed with the versions of ONNX, and differs between runtimes.
"""

from __future__ import annotations

from dataclasses import replace

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, padded, window_attributes
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.geometry import Pads


@RULES.rule(Conv)
def conv(op: Conv, emit: Emit) -> str:
    """Conv."""
    window = op.sliding(emit.type)
    return emit.last(
        "Conv", emit.input, *emit.weights("weight", "bias"), **window_attributes(window), **_groups(op.groups)
    )


@RULES.rule(ConvTranspose)
def conv_transpose(op: ConvTranspose, emit: Emit) -> str:
    """ConvTranspose. ONNX Runtime refuses an output padding as large as the stride, which a dilation makes legal."""
    window = op.sliding(emit.type)
    axes = zip(window.stride, window.pads, op.added(emit.type), strict=True)
    zeros, crops, extra = zip(*(_ending(*axis) for axis in axes), strict=True)
    value = padded(emit, zeros)
    weights, geometry = emit.weights("weight", "bias"), window_attributes(replace(window, pads=crops))
    added = {"output_padding": extra} if any(extra) else {}
    return emit.last("ConvTranspose", value, *weights, **geometry, **_groups(op.groups), **added)


def _ending(stride: int, pads: Pads, added: int) -> tuple[Pads, Pads, int]:
    """Zeros around the input, rows to crop and output padding, for one axis of a transposed convolution.

    Output padding as large as the stride becomes rows not cropped. Where none are left to crop, zeros after the input
    make the output longer by a stride each, and add nothing to it.
    """
    before, after = pads
    if added < stride:
        return (0, 0), pads, added
    zeros = max(0, -((after - added) // stride))
    return (0, zeros), (before, after - added + zeros * stride), 0


def _groups(groups: int) -> dict[str, int]:
    return {"group": groups} if groups > 1 else {}
