"""ZFNet, as figure 3 of its paper draws it, and with the wider layers of table 3."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Maker


def zfnet(first: int, second: int, third: int) -> nn.Module:
    norm, relu = nn.LocalResponseNorm(5, 5e-4, 0.75, 2), nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(3, 96, 7, stride=2, padding=1), relu, nn.MaxPool2d(3, 2, 1), norm,
        nn.Conv2d(96, 256, 5, stride=2), relu, nn.MaxPool2d(3, 2, 1), norm,
        nn.Conv2d(256, first, 3, padding=1), relu, nn.Conv2d(first, second, 3, padding=1), relu,
        nn.Conv2d(second, third, 3, padding=1), relu, nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(third * 36, 4096), relu, nn.Linear(4096, 4096), relu, nn.Linear(4096, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"zfnet": partial(zfnet, 384, 384, 256), "zfnet_b": partial(zfnet, 512, 1024, 512)}
