"""AlexNet as it was on two GPUs, and on one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Maker


def alexnet(groups: int) -> nn.Module:
    """The network of 2012; two groups for its two GPUs."""
    norm, pool, relu = nn.LocalResponseNorm(5, 5e-4, 0.75, 2), nn.MaxPool2d(3, 2), nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4), relu, norm, pool,
        nn.Conv2d(96, 256, 5, padding=2, groups=groups), relu, norm, pool,
        nn.Conv2d(256, 384, 3, padding=1), relu, nn.Conv2d(384, 384, 3, padding=1, groups=groups), relu,
        nn.Conv2d(384, 256, 3, padding=1, groups=groups), relu, pool, nn.Flatten(),
        nn.Linear(256 * 36, 4096), relu, nn.Linear(4096, 4096), relu, nn.Linear(4096, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {
    "alexnet_grouped": partial(alexnet, 2),
    "alexnet_single_tower": partial(alexnet, 1),
}
