"""The zoo's networks at the smallest input they take: the same layers, with less to compute.

With `ARCHSPEC_ZOO=whole` in the environment they are as wide as they are: many gigabytes, and most of an hour.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor

import archspec
from archspec import zoo
from archspec.ir.types import DType
from archspec.network import Network

FAMILY = {name: path.stem for name, path in zoo.names()}
ZOO = list(FAMILY)

SIDES = (32, 48, 64, 80, 96, 128, 160, 188, 256, 380)
"""Sides to try for every spatial axis of a network with one input; the published U-Net takes 188, no less."""

NARROWER: Mapping[str, Mapping[str, object]] = {
    "context": {"hidden": 16, "widths": [4, 8, 8, 8, 8]},
    "convnext": {"width": 16},
    "densenet": {"growth": 8},
    "efficientnet": {"width": 0.25},
    "srgan": {"width": 16, "hidden": 64},
    "unet": {"width": 16},
    "unet_3d": {"width": 4},
    "convmixer": {"width": 32},
    "mlp_mixer": {"width": 64},
    "faster_rcnn": {"size": 64, "regions": 3, "width": 32, "hidden": 64},
    "fast_rcnn": {"height": 48, "width": 64, "regions": 3, "hidden": 64},
    "retinanet": {"size": 64, "width": 32},
    "ssd": {"width": 8, "extra": [[8, 16, 2], [8, 16, 2], [8, 16, 1], [8, 16, 1]]},
    "siamese": {"features": 32},
    "vae": {"hidden": 32},
    "lstm_tagger": {"vocabulary": 50, "hidden": 16, "length": 12},
    "mask_rcnn": {"size": 64, "regions": 3, "detections": 2, "width": 32, "hidden": 64},
    "fcn": {"width": 4, "hidden": 16},
    "gpt2": {"width": 64, "depth": 2, "context": 16, "vocabulary": 50},
    "fractalnet": {"widths": [[8, 0], [8, 0.1], [16, 0.2], [16, 0.3], [16, 0.4]]},
    "hrnet": {"width": 8, "depth": 1},
    "preact_resnet": {"width": 16},
    "vnet": {"width": 2, "copies": [0, 0]},
    "vgg": {"hidden": 64},
    "vgg_attention": {"width": 16},
    "swin": {"width": 32},
    "transformer": {"width": 32, "hidden": 64, "heads": 2, "depth": 2, "length": 12, "vocabulary": 50},
    "vit": {"width": 128},
    "yolox": {"width": 8},
}
"""Parameters, by family, that spare hundreds of megabytes of weights and leave every layer in place."""

WHOLE = os.environ.get("ARCHSPEC_ZOO") == "whole"

_TWINS = frozenset((
    "convnext_small", "convnext_base", "convnext_large", "deeplabv3_resnet101", "densenet161", "densenet169",
    "densenet201", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_b5",
    "efficientnet_b7", "fcn_resnet101", "gpt2_medium", "gpt2_large", "gpt2_xl", "mlp_1500_1000_500",
    "mlp_2000_1500_1000_500", "mlp_2500_2000_1500_1000_500", "mnasnet0_5", "mobilenet_v1_075", "mobilenet_v1_050",
    "mobilenet_v1_025", "mobilenet_v2_140", "preact_resnet34", "preact_resnet101", "preact_resnet152",
    "pointnet_vanilla", "pointnet_pytorch",
    "regnet_y_3_2gf", "resnet34", "resnet101", "resnet152", "resnet101_v1", "resnet152_v1", "resnet32_cifar",
    "resnet44_cifar", "resnet56_cifar", "resnext101_32x8d", "resnext101_64x4d", "se_resnet34", "se_resnet101",
    "segnet_pascal", "shufflenet_v2_x0_5", "swin_s", "swin_b", "transformer_big", "unet_intel_2d_narrow",
    "unet_resnet34", "vgg13", "vgg16", "vgg19", "vgg13_bn", "vgg16_bn", "vgg19_bn", "vit_b_32", "wide_resnet101_2",
    "yolox_s", "yolox_m", "yolox_l", "zfnet_b",
    "yolov8s", "yolov8m", "yolov8l", "yolov8x", "hrnet_w32", "hrnet_w48",
))  # fmt: skip

DISTINCT = ZOO if WHOLE else [name for name in ZOO if name not in _TWINS]
"""The networks without those that differ from another of their family in numbers alone: of blocks, of channels."""

OF_ONE_SIZE = ("gpt2", "mlp_mixer", "swin", "transformer", "vit")
"""Families whose weights are for one size of input: an embedding or a weight of each position."""


def random_tensors(net: Network, batch: int = 2, device: str = "cpu") -> list[Tensor]:
    """Inputs of a network: normal numbers, or integers that every embedding has a vector for."""
    return [
        torch.randint(0, 2, (batch, *value.type.sizes), device=device)
        if value.type.dtype is DType.INT64
        else torch.randn(batch, *value.type.sizes, device=device)
        for value in net.graph.inputs
    ]


@cache
def small(name: str) -> Network:
    """A network of the zoo on the smallest of `SIDES` it takes, or on its own input where it takes none."""
    params = {} if WHOLE else NARROWER.get(FAMILY[name], {})
    net = archspec.load(name, **params)
    if len(net.inputs) > 1 or FAMILY[name] in OF_ONE_SIZE:
        return net
    ((channels, *spatial),) = net.inputs.values()
    for side in (side for side in SIDES if spatial and side < max(spatial)):
        try:
            return archspec.load(name, input=(channels, *(min(side, size) for size in spatial)), **params)
        except archspec.ArchspecError:
            continue  # a kernel does not fit
    return net
