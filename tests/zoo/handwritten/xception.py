"""Xception, from figure 5 of its paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker


def separable(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(Conv3(before, before, groups=before), Conv1(before, after), nn.BatchNorm2d(after))


class Part(nn.Module):
    """Separable convolutions beside the identity, or, where they pool, beside a strided projection."""

    def __init__(self, widths: Sequence[int], *, pools: bool, active: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            layers += [nn.ReLU(), separable(before, after)] if i or active else [separable(before, after)]
        self.layers = nn.Sequential(*layers, nn.MaxPool2d(3, 2, 1) if pools else nn.Identity())
        projection = nn.Sequential(Conv1(widths[0], widths[-1], stride=2), nn.BatchNorm2d(widths[-1]))
        self.shortcut = projection if pools else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + self.shortcut(x)


def xception() -> nn.Module:
    relu = nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32), relu,
        nn.Conv2d(32, 64, 3, bias=False), nn.BatchNorm2d(64), relu,
        Part([64, 128, 128], pools=True, active=False), Part([128, 256, 256], pools=True),
        Part([256, 728, 728], pools=True), *(Part([728] * 4, pools=False) for _ in range(8)),
        Part([728, 728, 1024], pools=True), separable(1024, 1536), relu, separable(1536, 2048), relu,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"xception": xception}
