"""Convolutions in ONNX.

Padding is written as numbers, unless it depends on a dynamic size: the meaning of `auto_pad` differs between runtimes
that do not follow ONNX.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, dynamic_same_window, padded_input, window_attributes
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.geometry import Pads


@RULES.rule(Conv)
def conv(op: Conv, b: OnnxBuilder) -> str:
    """Conv."""
    value, attributes = dynamic_same_window(op, b) or _window(op, b)
    return b.result("Conv", value, *b.weights("weight", "bias"), **attributes, **_group(op.groups))


def _window(op: Conv, b: OnnxBuilder) -> tuple[str, dict[str, Any]]:
    """The input, padded if its padding is not zeros, and the attributes of the window."""
    window = op.sliding(b.input_type)
    if op.padding_mode == "zeros":
        return b.input, window_attributes(window)
    value = padded_input(b, window.pads, mode=op.padding_mode)
    return value, window_attributes(replace(window, pads=tuple((0, 0) for _ in window.pads)))


@RULES.rule(ConvTranspose)
def conv_transpose(op: ConvTranspose, b: OnnxBuilder) -> str:
    """ConvTranspose.

    ONNX Runtime rejects an output padding that is not smaller than the stride, which is valid with a dilation: see
    `_end_of_axis`.
    """
    window = op.sliding(b.input_type)
    axes = zip(window.stride, window.pads, op.added(b.input_type), strict=True)
    zeros, crops, output_padding = zip(*(_end_of_axis(*axis) for axis in axes), strict=True)
    value = padded_input(b, zeros)
    weights, attributes = b.weights("weight", "bias"), window_attributes(replace(window, pads=crops))
    added = {"output_padding": output_padding} if any(output_padding) else {}
    return b.result("ConvTranspose", value, *weights, **attributes, **_group(op.groups), **added)


def _end_of_axis(stride: int, pads: Pads, added: int) -> tuple[Pads, Pads, int]:
    """Zeros around the input, rows to crop, and output padding, for one axis of a transposed convolution.

    Output padding of at least the stride is replaced by cropping fewer rows. If there are too few rows to crop, zeros
    are appended to the input: each makes the output one stride longer and adds nothing to its values.
    """
    before, after = pads
    if added < stride:
        return (0, 0), pads, added
    zeros = max(0, -((after - added) // stride))
    return (0, zeros), (before, after - added + zeros * stride), 0


def _group(groups: int) -> dict[str, int]:
    return {"group": groups} if groups > 1 else {}
