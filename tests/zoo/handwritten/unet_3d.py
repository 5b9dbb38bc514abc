"""The U-Net with a third axis."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


def block(*widths: int) -> nn.Module:
    before, middle, after = widths
    first = [nn.Conv3d(before, middle, 3), nn.BatchNorm3d(middle), nn.ReLU()]
    return nn.Sequential(*first, nn.Conv3d(middle, after, 3), nn.BatchNorm3d(after), nn.ReLU())


class UNet3d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([block(3, 32, 64), block(64, 64, 128), block(128, 128, 256), block(256, 256, 512)])
        self.up = nn.ModuleList(nn.ConvTranspose3d(width, width, 2, 2, bias=False) for width in (512, 256, 128))
        self.join = nn.ModuleList([block(256 + 512, 256, 256), block(128 + 256, 128, 128), block(64 + 128, 64, 64)])
        self.head = nn.Conv3d(64, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            x = level(functional.max_pool3d(x, 2) if skips else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, skips[2::-1], strict=True):
            x = up(x)
            for axis in (2, 3, 4):
                skip = skip.narrow(axis, (skip.shape[axis] - x.shape[axis]) // 2, x.shape[axis])
            x = join(torch.cat([skip, x], 1))
        return self.head(x)


MAKERS: Mapping[str, Maker] = {"unet_3d": UNet3d}
