"""The U-Net with gates on its skips, under the names of LeeJunHyun/Image_Segmentation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


def convolved(before: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]


def named(name: str, *layers: nn.Module) -> nn.Module:
    return nn.Sequential(OrderedDict([(name, nn.Sequential(*layers))]))


class Gate(nn.Module):
    """The attention gate of figure 2 of the paper, with normalizations and a signal of the size of the skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.W_g = nn.Sequential(nn.Conv2d(width, half, 1), nn.BatchNorm2d(half))
        self.W_x = nn.Sequential(nn.Conv2d(width, half, 1), nn.BatchNorm2d(half))
        self.psi = nn.Sequential(nn.Conv2d(half, 1, 1), nn.BatchNorm2d(1))

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        return skip * torch.sigmoid(self.psi(torch.relu(self.W_g(signal) + self.W_x(skip))))


class AttentionUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (3, 64, 128, 256, 512, 1024)
        for i in range(1, 6):
            layers = convolved(widths[i - 1], widths[i]) + convolved(widths[i], widths[i])
            self.add_module(f"Conv{i}", named("conv", *layers))
        for i in range(5, 1, -1):
            deep, width = widths[i], widths[i - 1]
            self.add_module(f"Up{i}", named("up", nn.Upsample(scale_factor=2), *convolved(deep, width)))
            self.add_module(f"Att{i}", Gate(width))
            layers = convolved(deep, width) + convolved(width, width)
            self.add_module(f"Up_conv{i}", named("conv", *layers))
        self.Conv_1x1 = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [x := self.Conv1(x)]
        for i in range(2, 6):
            skips.append(x := self.get_submodule(f"Conv{i}")(functional.max_pool2d(x, 2)))
        for i in range(5, 1, -1):
            x = self.get_submodule(f"Up{i}")(x)
            gated = self.get_submodule(f"Att{i}")(skips[i - 2], x)
            x = self.get_submodule(f"Up_conv{i}")(torch.cat([gated, x], 1))
        return self.Conv_1x1(x)


MAKERS: Mapping[str, Maker] = {"attention_unet": AttentionUNet}
