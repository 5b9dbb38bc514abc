"""Padding, cropping and resizing of spatial axes in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import (
    CHANNELS_FIRST,
    RULES,
    LayerCall,
    cannot,
    layer,
    padded,
    repeated,
    spatial_rank,
)
from archspec.lower.keras.rules.conv import crop
from archspec.lower.nearest_rows import nearest_rows, repeats_evenly
from archspec.lower.text.code_model import Options, function, same
from archspec.ops import spatial


@RULES.rule(spatial.Pad)
def _pad(op: spatial.Pad, node: Node) -> LayerCall:
    pads = op.pads(node.inputs[0].type)
    if not any(map(any, pads)):
        return LayerCall()
    if op.mode == "constant":
        return LayerCall((padded(pads, op.value),))
    call, helpers = repeated(pads, op.mode)
    return LayerCall((call,), helpers=helpers)


@RULES.rule(spatial.PadChannels)
def _pad_channels(op: spatial.PadChannels, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return LayerCall((padded(pads, before=1),))


@RULES.rule(spatial.CenterCrop, spatial.AlignCrop)
def _center_crop(op: spatial.CenterCrop, node: Node) -> LayerCall:
    return LayerCall((crop(op.pads(node.inputs[0].type)),))


@RULES.rule(spatial.CropLike)
def _crop_like(op: spatial.CropLike, node: Node) -> LayerCall:
    sizes = zip(op.starts(node.input_types), node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True)
    return LayerCall((crop(tuple((start, size - start - output) for start, size, output in sizes)),), inputs_read=1)


@RULES.rule(spatial.Upsample)
def _upsample(op: spatial.Upsample, node: Node) -> LayerCall:
    return _upsampled(op, node)


@RULES.rule(spatial.UpsampleLike)
def _upsample_like(op: spatial.UpsampleLike, node: Node) -> LayerCall:
    return _upsampled(op.sized(node.input_types), node)


def _upsampled(op: spatial.Upsample, node: Node) -> LayerCall:
    d = spatial_rank(node)
    sizes = list(zip(node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True))
    if any(wanted % size for size, wanted in sizes):
        raise cannot(node, "its upsampling needs a whole factor for every axis")
    if op.mode == "bicubic":  # TensorFlow and JAX have other cubic curves (a = -0.5) than PyTorch
        raise cannot(node, "its bicubic curves depend on the backend")
    if op.interpolates and (d != 2 or op.align_corners):
        raise cannot(node, "its upsampling interpolates only over two axes and without align_corners")
    if not op.interpolates and not all(repeats_evenly(nearest_rows(size, wanted)) for size, wanted in sizes):
        raise cannot(node, "its upsampling by this factor repeats some rows less often in PyTorch")
    factors = tuple(wanted // size for size, wanted in sizes)
    if max(factors) == 1:
        return LayerCall(inputs_read=1)
    if d == 1:  # UpSampling1D expects channels last
        return LayerCall(
            (function("repeat", "ops.repeat({x}, {times}, axis=2)", {"times": factors[0]}),), inputs_read=1
        )
    interpolation: Options = {"interpolation": ("bilinear", "nearest")} if op.interpolates else {}
    call = layer(f"UpSampling{d}D", {"size": same(factors)}, {"data_format": CHANNELS_FIRST, **interpolation})
    return LayerCall((call,), inputs_read=1)
