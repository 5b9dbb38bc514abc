"""Fully convolutional networks on VGG-16."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Interpolation(nn.ConvTranspose2d):
    """A transposed convolution that widens each channel for itself, by a filter that falls off linearly."""

    def __init__(self, factor: int) -> None:
        super().__init__(21, 21, 2 * factor, factor, bias=False)
        self.weight.requires_grad_(requires_grad=False)
        distance = (torch.arange(2 * factor) - factor + 0.5).abs() / factor
        if not self.weight.is_meta:
            self.weight.copy_(torch.eye(21)[:, :, None, None] * torch.outer(1 - distance, 1 - distance))


def cut(x: Tensor, offset: int, like: Tensor) -> Tensor:
    return x[:, :, offset : offset + like.shape[2], offset : offset + like.shape[3]]


class FCN(nn.Module):
    def __init__(self, skips: int, scales: tuple[float, float] = (1, 1)) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        before = 3
        for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            stage: list[nn.Module] = []
            for _ in range(count):
                stage += [nn.Conv2d(before, width, 3, padding=100 if before == 3 else 1), nn.ReLU()]
                before = width
            stages.append(nn.Sequential(*stage, nn.MaxPool2d(2, ceil_mode=True)))
        self.stages, self.scales = nn.ModuleList(stages), scales
        self.head = nn.Sequential(
            nn.Conv2d(512, 4096, 7), nn.ReLU(), nn.Conv2d(4096, 4096, 1), nn.ReLU(), nn.Conv2d(4096, 21, 1)
        )
        self.twice = nn.ModuleList(Interpolation(2) for _ in range(skips))
        self.score = nn.ModuleList(nn.Conv2d(width, 21, 1) for width in (512, 256)[:skips])
        self.last, self.offset = Interpolation(32 >> skips), (19, 27, 31)[skips]

    def forward(self, image: Tensor) -> Tensor:
        pools: list[Tensor] = []
        x = image
        for stage in self.stages:
            x = stage(x)
            pools.append(x)
        x = self.head(x)
        for i, (twice, score) in enumerate(zip(self.twice, self.score, strict=True)):
            x = twice(x)
            x = x + cut(score(self.scales[i] * pools[3 - i]), (5, 9)[i], x)
        return cut(self.last(x), self.offset, image)


MAKERS: Mapping[str, Maker] = {
    "fcn32s": partial(FCN, 0),
    "fcn16s": partial(FCN, 1),
    "fcn8s": partial(FCN, 2),
    "fcn8s_atonce": partial(FCN, 2, (0.01, 0.0001)),
}
