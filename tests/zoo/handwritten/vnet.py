"""V-Net, as the paper draws it and as its authors released it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Stage(nn.Module):
    """Convolutions of one width beside an identity, activated after each but the last, and after the sum."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        convs = [nn.Conv3d(width, width, 5, padding=2) for _ in range(count)]
        parts = [part for conv in convs[:-1] for part in (conv, nn.PReLU(width))]
        self.layers, self.act = nn.Sequential(*parts, convs[-1]), nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.layers(x) + x)


class VNet(nn.Module):
    def __init__(self, left: Sequence[int], right: Sequence[int], *, released: bool = False) -> None:
        super().__init__()
        widths = (16, 32, 64, 128, 256)
        steps = list(pairwise(widths))
        self.stem, self.act = nn.Conv3d(1, 16, 5, padding=2), nn.PReLU(16)
        self.thin = nn.ModuleList(nn.Sequential(nn.Conv3d(a, b, 2, 2), nn.PReLU(b)) for a, b in steps)
        self.left = nn.ModuleList(Stage(width, count) for width, count in zip(widths[1:], left, strict=True))
        self.widen = nn.ModuleList(nn.Sequential(nn.ConvTranspose3d(w, a, 2, 2), nn.PReLU(a))
                                   for (a, _), w in zip(steps, (64, 128, 256, 256), strict=True))  # fmt: skip
        self.right = nn.ModuleList(Stage(2 * width, count) for width, count in zip(widths, right, strict=False))
        gather = [nn.Conv3d(32, 2, 5, padding=2), nn.PReLU(2)] if released else []
        self.head = nn.Sequential(*gather, nn.Conv3d(2 if released else 32, 2, 1), nn.Softmax(1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.stem(x) + x.expand(-1, 16, -1, -1, -1))
        skips: list[Tensor] = []
        for thin, left in zip(self.thin, self.left, strict=True):
            skips.append(x)
            x = left(thin(x))
        for i in (3, 2, 1, 0):
            x = self.right[i](torch.cat([self.widen[i](x), skips[i]], 1))
        return self.head(x)


MAKERS: Mapping[str, Maker] = {
    "vnet": partial(VNet, (2, 3, 3, 3), (1, 2, 3, 3)),
    "vnet_released": partial(VNet, (1, 2, 3, 3), (1, 1, 2, 3), released=True),
}
