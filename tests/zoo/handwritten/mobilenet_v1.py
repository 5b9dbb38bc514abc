"""MobileNet v1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker

TABLE = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
"""Table 1 of the paper: channels and stride of each separable convolution."""


def mobilenet(width: float) -> nn.Module:
    relu = nn.ReLU6()
    channels = int(32 * width)
    layers: list[nn.Module] = [Conv3(3, channels, stride=2), nn.BatchNorm2d(channels), relu]
    for wide, stride in TABLE:
        after = int(wide * width)
        layers += [Conv3(channels, channels, stride=stride, groups=channels), nn.BatchNorm2d(channels), relu]
        layers += [Conv1(channels, after), nn.BatchNorm2d(after), relu]
        channels = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


MAKERS: Mapping[str, Maker] = {
    "mobilenet_v1": partial(mobilenet, 1),
    "mobilenet_v1_075": partial(mobilenet, 0.75),
    "mobilenet_v1_050": partial(mobilenet, 0.5),
    "mobilenet_v1_025": partial(mobilenet, 0.25),
}
