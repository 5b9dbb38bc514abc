"""DenseNet for CIFAR-10, without and with bottlenecks and compression, from section 3 of its paper."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker


def active(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


class Dense(nn.Module):
    """What came in, and the channels made of it."""

    def __init__(self, before: int, growth: int, *, bottleneck: bool) -> None:
        super().__init__()
        inner = 4 * growth
        first = [Conv1(before, inner), active(inner), Conv3(inner, growth)] if bottleneck else [Conv3(before, growth)]
        self.new = nn.Sequential(active(before), *first)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], 1)


def densenet(depth: int, growth: int, *, compact: bool) -> nn.Module:
    """The network of L layers: three blocks between four other layers; a bottleneck makes two layers of one."""
    channels = 2 * growth if compact else 16
    layers: list[nn.Module] = [Conv3(3, channels)]
    for block in range(3):
        for _ in range((depth - 4) // (6 if compact else 3)):
            layers.append(Dense(channels, growth, bottleneck=compact))
            channels += growth
        if block < 2:
            kept = channels // 2 if compact else channels
            layers += [active(channels), Conv1(channels, kept), nn.AvgPool2d(2)]
            channels = kept
    return nn.Sequential(*layers, active(channels), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


MAKERS: Mapping[str, Maker] = {
    "densenet40_k12_cifar": partial(densenet, 40, 12, compact=False),
    "densenet_bc100_k12_cifar": partial(densenet, 100, 12, compact=True),
}
