"""Convolutions in Keras, whose padding is only `valid` or `same`: the input is padded first if it is neither."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import (
    CHANNELS_FIRST,
    RULES,
    LayerCall,
    WeightLayout,
    cannot,
    layer,
    padded,
    repeated,
    spatial_rank,
)
from archspec.lower.text.code_model import Call, Options, function, same
from archspec.ops import conv
from archspec.ops.geometry import extent, same_pads
from archspec.ops.sliding import Sliding


@RULES.rule(conv.Conv)
def _conv(op: conv.Conv, node: Node) -> LayerCall:
    tensor, d = node.inputs[0].type, spatial_rank(node)
    window = op.sliding(tensor)
    if max(window.stride) > 1 and max(window.dilation) > 1:
        raise cannot(node, "its convolutions have either a stride or a dilation, not both")
    padding_calls, padding, helpers = _padding(op, window, tensor.spatial)
    optional: Options = {
        "strides": (same(window.stride), 1), "padding": (padding, "valid"),
        "dilation_rate": (same(window.dilation), 1), "use_bias": (op.bias, True), "data_format": CHANNELS_FIRST,
    }  # fmt: skip
    bias = (WeightLayout("bias"),) if op.bias else ()
    if op.groups == tensor.channels > 1 and d < 3 and len(set(window.stride)) == 1:
        multiplier = op.channels // op.groups
        call = layer(
            f"DepthwiseConv{d}D", {"kernel_size": same(window.kernel)},
            {"depth_multiplier": (multiplier, 1), **optional},
        )  # fmt: skip
        kernel = WeightLayout("weight", (*range(2, d + 2), 0, 1), (tensor.channels, multiplier, *window.kernel))
        return LayerCall((*padding_calls, call), (kernel, *bias), helpers=helpers)
    required = {"filters": op.channels, "kernel_size": same(window.kernel)}
    call = layer(f"Conv{d}D", required, {**optional, "groups": (op.groups, 1)})
    weights = (WeightLayout("weight", (*range(2, d + 2), 1, 0)), *bias)
    return LayerCall((*padding_calls, call), weights, helpers=helpers)


def _padding(
    op: conv.Conv, window: Sliding, sizes: tuple[int, ...]
) -> tuple[tuple[Call, ...], str, tuple[tuple[str, str], ...]]:
    """The calls that pad the input, the padding of the layer, `same` if it pads as much here, and helper classes."""
    if not any(map(any, window.pads)):
        return (), "valid", ()
    if op.padding_mode != "zeros":
        call, helpers = repeated(window.pads, op.padding_mode)
        return (call,), "valid", helpers
    axes = zip(sizes, window.kernel, window.stride, window.dilation, strict=True)
    if window.pads == tuple(same_pads(*axis) for axis in axes):
        return (), "same", ()
    return (padded(window.pads),), "valid", ()


@RULES.rule(conv.ConvTranspose)
def _conv_transpose(op: conv.ConvTranspose, node: Node) -> LayerCall:
    tensor, d = node.inputs[0].type, spatial_rank(node)
    window, added = op.sliding(tensor), op.added(tensor)
    if op.groups > 1:
        raise cannot(node, "its transposed convolutions have no groups")
    if max(window.stride) > 1 and max(window.dilation) > 1:
        raise cannot(node, "its convolutions have either a stride or a dilation, not both")
    spans = [extent(f, dilation) for f, dilation in zip(window.kernel, window.dilation, strict=True)]
    # Without output padding, Keras extends the output where the kernel is smaller than the stride.
    exact = any(added) or any(span < stride for span, stride in zip(spans, window.stride, strict=True))
    if exact and any(more >= stride for more, stride in zip(added, window.stride, strict=True)):
        raise cannot(node, "its output padding must be smaller than the stride of every axis")
    optional: Options = {
        "strides": (same(window.stride), 1), "output_padding": (same(added) if exact else None, None),
        "dilation_rate": (same(window.dilation), 1), "use_bias": (op.bias, True), "data_format": CHANNELS_FIRST,
    }  # fmt: skip
    call = layer(f"Conv{d}DTranspose", {"filters": op.channels, "kernel_size": same(window.kernel)}, optional)
    cropped = (crop(window.pads),) if any(map(any, window.pads)) else ()
    bias = (WeightLayout("bias"),) if op.bias else ()
    return LayerCall((call, *cropped), (WeightLayout("weight", (*range(2, d + 2), 1, 0)), *bias))


def crop(pads: tuple[tuple[int, int], ...]) -> Call:
    """A function that crops the spatial axes, before and after."""
    cuts = ", ".join(f"{before or ''}:{-after if after else ''}" for before, after in pads)
    return function("get_item", f"{{x}}[:, :, {cuts}]")
