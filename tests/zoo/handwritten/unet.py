"""The U-Nets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Conv3, Maker


class UNet(nn.Module):
    """The U, level by level, with the skips cropped to what comes up from below."""

    def __init__(self, channels: int, classes: int, *, padded: bool) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        double = partial(self.double, padded=padded)
        self.down = nn.ModuleList(double(before, width) for before, width in pairwise((channels, *widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[:4])
        self.join = nn.ModuleList(double(2 * width, width) for width in widths[:4])
        self.head = nn.Conv2d(64, classes, 1)

    @staticmethod
    def double(before: int, width: int, *, padded: bool) -> nn.Module:
        if not padded:
            return nn.Sequential(nn.Conv2d(before, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())
        first = [Conv3(before, width), nn.BatchNorm2d(width), nn.ReLU()]
        return nn.Sequential(*first, Conv3(width, width), nn.BatchNorm2d(width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            x = level(functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for i in (3, 2, 1, 0):
            x = self.up[i](x)
            spare = [(have - want) // 2 for have, want in zip(skips[i].shape[2:], x.shape[2:], strict=True)]
            skip = skips[i][:, :, spare[0] :, spare[1] :][:, :, : x.shape[2], : x.shape[3]]
            x = self.join[i](torch.cat([skip, x], 1))
        return self.head(x)


MAKERS: Mapping[str, Maker] = {
    "unet": partial(UNet, 1, 2, padded=False),
    "unet_padded": partial(UNet, 3, 1, padded=True),
}
