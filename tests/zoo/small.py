"""The zoo's networks at the smallest input they take: the same layers, with less to compute.

With `ARCHSPEC_ZOO=whole` in the environment they are as wide as they are: many gigabytes, and most of an hour.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import archspec
from archspec import zoo
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
    "faster_rcnn": {"size": 64, "regions": 3, "width": 32, "hidden": 64},
    "fcn": {"width": 4, "hidden": 16},
    "fractalnet": {"widths": [[8, 0], [8, 0.1], [16, 0.2], [16, 0.3], [16, 0.4]]},
    "preact_resnet": {"width": 16},
    "vnet": {"width": 2, "copies": [0, 0]},
    "vgg": {"hidden": 64},
    "vgg_attention": {"width": 16},
    "vit": {"width": 128},
    "yolox": {"width": 8},
}
"""Parameters, by family, that spare hundreds of megabytes of weights and leave every layer in place."""

WHOLE = os.environ.get("ARCHSPEC_ZOO") == "whole"

SHALLOW = (
    "resnet101", "resnet152", "resnet101_v1", "resnet152_v1", "resnext101_32x8d", "resnext101_64x4d",
    "wide_resnet50_2", "wide_resnet101_2", "se_resnet101", "deeplabv3_resnet101", "fcn_resnet101",
)  # fmt: skip
"""Networks of dozens of equal blocks."""

OF_ONE_SIZE = ("vit",)
"""Families whose weights are for one size of input: an embedding of each position."""


@cache
def small(name: str, *, shallow: bool = False) -> Network:
    """A network of the zoo on the smallest of `SIDES` it takes, or on its own input where it takes none.

    Shallow: with two blocks a stage where it has dozens, for what depends on how blocks are joined alone.
    """
    params = {} if WHOLE else NARROWER.get(FAMILY[name], {})
    if shallow and name in SHALLOW:
        params = {"depths": [2, 2, 2, 2]}
    net = archspec.load(name, **params)
    if len(net.inputs) > 1 or FAMILY[name] in OF_ONE_SIZE:
        return net
    ((channels, *spatial),) = net.inputs.values()
    for side in (side for side in SIDES if spatial and side < min(spatial)):
        try:
            return archspec.load(name, input=(channels, *(side for _ in spatial)), **params)
        except archspec.ArchspecError:
            continue  # a kernel does not fit
    return net
