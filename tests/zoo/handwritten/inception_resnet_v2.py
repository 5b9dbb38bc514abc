"""Inception-ResNet v2, from the figures of its paper, with the widths of the published checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker

Kernel = int | tuple[int, int]


def conv(before: int, width: int, kernel: Kernel = 1, *, stride: int = 1, same: bool = True) -> nn.Module:
    """A convolution, normalized and activated."""
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (sides[0] // 2, sides[1] // 2) if same else 0
    layer = nn.Conv2d(before, width, kernel, stride, padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(width, eps=1e-3), nn.ReLU())


def chain(before: int, *steps: tuple[int, Kernel], shrinks: bool = False) -> nn.Module:
    """Convolutions of these widths and kernels; the last one halves the size if the chain shrinks."""
    widths = [before, *(width for width, _ in steps)]
    last = len(steps) - 1
    return nn.Sequential(
        *(
            conv(one, other, kernel, stride=2, same=False) if shrinks and i == last else conv(one, other, kernel)
            for i, ((one, other), (_, kernel)) in enumerate(zip(pairwise(widths), steps, strict=True))
        )
    )


class Beside(nn.Module):
    """Branches side by side; with a projection they are added, scaled, to what came in."""

    def __init__(self, branches: Sequence[nn.Module], projection: nn.Module | None = None, scale: float = 1) -> None:
        super().__init__()
        self.branches, self.projection, self.scale = nn.ModuleList(branches), projection, scale

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([branch(x) for branch in self.branches], 1)
        return joined if self.projection is None else x + self.scale * self.projection(joined)


def block35() -> nn.Module:
    branches = [chain(320, (32, 1)), chain(320, (32, 1), (32, 3)), chain(320, (32, 1), (48, 3), (64, 3))]
    return nn.Sequential(Beside(branches, nn.Conv2d(128, 320, 1), 0.17), nn.ReLU())


def block17() -> nn.Module:
    branches = [chain(1088, (192, 1)), chain(1088, (128, 1), (160, (1, 7)), (192, (7, 1)))]
    return nn.Sequential(Beside(branches, nn.Conv2d(384, 1088, 1), 0.1), nn.ReLU())


def block8(scale: float) -> nn.Module:
    branches = [chain(2080, (192, 1)), chain(2080, (192, 1), (224, (1, 3)), (256, (3, 1)))]
    return Beside(branches, nn.Conv2d(448, 2080, 1), scale)


def inception_resnet_v2() -> nn.Module:
    pool = nn.MaxPool2d(3, 2)
    mean = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return nn.Sequential(
        conv(3, 32, 3, stride=2, same=False), conv(32, 32, 3, same=False), conv(32, 64, 3), pool,
        conv(64, 80), conv(80, 192, 3, same=False), pool,
        Beside([chain(192, (96, 1)), chain(192, (48, 1), (64, 5)), chain(192, (64, 1), (96, 3), (96, 3)),
                nn.Sequential(mean, conv(192, 64))]),
        *(block35() for _ in range(10)),
        Beside([chain(320, (384, 3), shrinks=True), chain(320, (256, 1), (256, 3), (384, 3), shrinks=True), pool]),
        *(block17() for _ in range(20)),
        Beside([chain(1088, (256, 1), (384, 3), shrinks=True), chain(1088, (256, 1), (288, 3), shrinks=True),
                chain(1088, (256, 1), (288, 3), (320, 3), shrinks=True), pool]),
        *(nn.Sequential(block8(0.2), nn.ReLU()) for _ in range(9)), block8(1),
        conv(2080, 1536), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1536, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"inception_resnet_v2": inception_resnet_v2}
