"""The residual networks for CIFAR-10, with shortcuts of zeros."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Conv3, Maker


class CifarBlock(nn.Module):
    """Two 3x3 convolutions beside an identity that is thinned out and filled up with zeros where it does not fit."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Conv3(before, width, stride=stride), nn.BatchNorm2d(width), nn.ReLU(),
            Conv3(width, width), nn.BatchNorm2d(width),
        )  # fmt: skip
        self.stride, self.zeros = stride, width - before

    def forward(self, x: Tensor) -> Tensor:
        thinned = x[:, :, :: self.stride, :: self.stride]
        return functional.relu(self.layers(x) + functional.pad(thinned, (0, 0, 0, 0, 0, self.zeros)))


def resnet_cifar(n: int) -> nn.Module:
    blocks: list[nn.Module] = []
    for before, width in pairwise((16, 16, 32, 64)):
        blocks.append(CifarBlock(before, width, 1 if before == width else 2))
        blocks += [CifarBlock(width, width, 1) for _ in range(n - 1)]
    stem = [Conv3(3, 16), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


MAKERS: Mapping[str, Maker] = {f"resnet{6 * n + 2}_cifar": partial(resnet_cifar, n) for n in (3, 5, 7, 9, 18)}
