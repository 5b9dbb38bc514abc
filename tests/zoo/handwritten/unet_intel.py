"""IntelAI's U-Nets: what comes up is joined before what was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


def flat(before: int, width: int) -> nn.Module:
    first = [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*first, nn.Conv2d(width, width, 3, padding=1), nn.ReLU())


def solid(before: int, width: int) -> nn.Module:
    norm = partial(nn.BatchNorm3d, eps=1e-3, momentum=0.01)
    first = [nn.Conv3d(before, width, 3, padding=1), norm(width), nn.ReLU()]
    return nn.Sequential(*first, nn.Conv3d(width, width, 3, padding=1), norm(width), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, axes: int, width: int, *, repeated: bool = False) -> None:
        super().__init__()
        widths = [width << level for level in range(5)]
        double = flat if axes == 2 else solid
        up = nn.ConvTranspose2d if axes == 2 else nn.ConvTranspose3d
        self.pool = functional.max_pool2d if axes == 2 else functional.max_pool3d
        self.down = nn.ModuleList(double(before, after) for before, after in pairwise((1, *widths)))
        self.up = nn.ModuleList(
            nn.Upsample(scale_factor=2) if repeated else up(below, above, 2, 2) for above, below in pairwise(widths)
        )
        self.join = nn.ModuleList(
            double(above + (below if repeated else above), above) for above, below in pairwise(widths)
        )
        self.head = (nn.Conv2d if axes == 2 else nn.Conv3d)(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            x = level(self.pool(x, 2) if skips else x)
            skips.append(x)
        for i in (3, 2, 1, 0):
            x = self.join[i](torch.cat([self.up[i](x), skips[i]], 1))
        return torch.sigmoid(self.head(x))


MAKERS: Mapping[str, Maker] = {
    "unet_intel_2d": partial(UNet, 2, 16),
    "unet_intel_2d_narrow": partial(UNet, 2, 8),
    "unet_intel_2d_upsampling": partial(UNet, 2, 16, repeated=True),
    "unet_intel_3d": partial(UNet, 3, 16),
}
