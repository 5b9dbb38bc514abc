"""GhostNet, after the paper and timm."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker

STAGES = (
    (3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 20, 2), (5, 120, 40, 32, 1),
    (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 120, 1),
    (3, 672, 112, 168, 1), (5, 672, 160, 168, 2), (5, 960, 160, 0, 1), (5, 960, 160, 240, 1), (5, 960, 160, 0, 1),
    (5, 960, 160, 240, 1),
)  # fmt: skip
"""Kernel, channels inside, channels, channels of the gate and stride of each block."""


class Ghost(nn.Module):
    def __init__(self, before: int, width: int, *, active: bool) -> None:
        super().__init__()
        act = nn.ReLU() if active else nn.Identity()
        half = width // 2
        self.primary = nn.Sequential(Conv1(before, half), nn.BatchNorm2d(half), act)
        self.cheap = nn.Sequential(Conv3(half, half, groups=half), nn.BatchNorm2d(half), act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], 1)


class Gate(nn.Module):
    def __init__(self, width: int, squeeze: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, squeeze, 1), nn.Conv2d(squeeze, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.up(self.down(x.mean((2, 3), keepdim=True)).relu())
        return x * nn.functional.hardsigmoid(gate)


def depthwise(width: int, kernel: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(width, width, kernel, stride, kernel // 2, groups=width, bias=False)
    return [conv, nn.BatchNorm2d(width)]


class Bottleneck(nn.Module):
    def __init__(self, before: int, kernel: int, inside: int, width: int, squeeze: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            Ghost(before, inside, active=True),
            *(depthwise(inside, kernel, stride) if stride > 1 else []),
            *([Gate(inside, squeeze)] if squeeze else []),
            Ghost(inside, width, active=False),
        )
        self.shortcut = nn.Sequential()
        if before != width or stride > 1:
            self.shortcut = nn.Sequential(
                *depthwise(before, kernel, stride), Conv1(before, width), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


def ghostnet() -> nn.Module:
    blocks: list[nn.Module] = []
    before = 16
    for kernel, inside, width, squeeze, stride in STAGES:
        blocks.append(Bottleneck(before, kernel, inside, width, squeeze, stride))
        before = width
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
        Conv1(before, 960), nn.BatchNorm2d(960), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(960, 1280, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1280, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"ghostnet_100": ghostnet}
