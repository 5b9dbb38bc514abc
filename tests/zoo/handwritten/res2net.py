"""Res2Net, after the paper and timm."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker

PARTS = 4


class Bottleneck(nn.Module):
    def __init__(self, before: int, width: int, part: int, stride: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.conv1, self.bn1 = Conv1(before, PARTS * part), nn.BatchNorm2d(PARTS * part)
        self.convs = nn.ModuleList(Conv3(part, part, stride=stride) for _ in range(PARTS - 1))
        self.bns = nn.ModuleList(nn.BatchNorm2d(part) for _ in range(PARTS - 1))
        self.last = nn.AvgPool2d(3, stride, 1) if first else nn.Identity()
        self.conv3, self.bn3 = Conv1(PARTS * part, 4 * width), nn.BatchNorm2d(4 * width)
        self.downsample = nn.Sequential()
        if first:
            self.downsample = nn.Sequential(Conv1(before, 4 * width, stride=stride), nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        *parts, last = self.bn1(self.conv1(x)).relu().chunk(PARTS, 1)
        done: list[Tensor] = []
        for part, conv, bn in zip(parts, self.convs, self.bns, strict=True):
            part = part if self.first or not done else done[-1] + part
            done.append(bn(conv(part)).relu())
        out = self.bn3(self.conv3(torch.cat([*done, self.last(last)], 1)))
        return (out + self.downsample(x)).relu()


def res2net(depths: tuple[int, ...], base: int) -> nn.Module:
    blocks: list[nn.Module] = []
    before = 64
    for stage, depth in enumerate(depths):
        width, part = 64 * 2**stage, base * 2**stage
        for i in range(depth):
            blocks.append(Bottleneck(before, width, part, 2 if stage and not i else 1, first=i == 0))
            before = 4 * width
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"res2net50_26w_4s": lambda: res2net((3, 4, 6, 3), 26)}
