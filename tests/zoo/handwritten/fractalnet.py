"""FractalNet, by the columns that are drawn and not by recursion: column c joins after every 2 ** c convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv3, Maker


def column(before: int, width: int) -> nn.Module:
    return nn.Sequential(Conv3(before, width), nn.BatchNorm2d(width), nn.ReLU())


class Fractal(nn.Module):
    """Three columns of 1, 2 and 4 convolutions; what ends at a row is joined by its mean, two by two."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        wide = (before, before, before, width, width, width, width)
        self.units = nn.ModuleList(column(channels, width) for channels in wide)

    def forward(self, x: Tensor) -> Tensor:
        far, near, deep, deeper, again, third, fourth = self.units
        left = far(x)
        half = torch.stack([near(x), deeper(deep(x))]).mean(0)
        return torch.stack([left, torch.stack([again(half), fourth(third(half))]).mean(0)]).mean(0)


def fractalnet20() -> nn.Module:
    widths = [3, 64, 128, 256, 512, 512]
    blocks = [nn.Sequential(Fractal(*pair), nn.MaxPool2d(2)) for pair in pairwise(widths)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(512, 10))


MAKERS: Mapping[str, Maker] = {"fractalnet20": fractalnet20}
