"""U-Nets on torchvision's ResNets, their modules named as in segmentation_models_pytorch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests import tv
from tests.zoo.handwritten.common import Conv3, Maker


def conv(before: int, width: int) -> nn.Module:
    return nn.Sequential(Conv3(before, width), nn.BatchNorm2d(width), nn.ReLU())


class Twice(nn.Module):
    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(before, width), conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class UNet(nn.Module):
    def __init__(self, encoder: str) -> None:
        super().__init__()
        self.encoder = tv.torchvision.models.get_model(encoder)
        channels = [64, *(4 * width if encoder == "resnet50" else width for width in (64, 128, 256, 512))]
        del self.encoder.fc, self.encoder.avgpool
        steps = zip(pairwise((channels[4], 256, 128, 64, 32, 16)), (*channels[3::-1], 0), strict=True)
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList(Twice(below + skip, width) for (below, width), skip in steps)
        self.segmentation_head = nn.Sequential(nn.Conv2d(16, 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        encoder = self.encoder
        x = encoder.relu(encoder.bn1(encoder.conv1(x)))
        skips = [x]
        x = encoder.maxpool(x)
        for layer in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
            x = layer(x)
            skips.append(x)
        skips.pop()
        for block in self.decoder.blocks:
            x = functional.interpolate(x, scale_factor=2)
            x = block(torch.cat([x, skips.pop()], 1) if skips else x)
        return self.segmentation_head(x)


MAKERS: Mapping[str, Maker] = {f"unet_resnet{depth}": partial(UNet, f"resnet{depth}") for depth in (18, 34, 50)}
