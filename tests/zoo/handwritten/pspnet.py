"""PSPNet: torchvision's ResNet-50, dilated, with the modules of hszhao/semseg on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter

from tests import tv
from tests.zoo.handwritten.common import Conv1, Conv3, Maker

resized = partial(nn.functional.interpolate, mode="bilinear", align_corners=True)


class Pyramid(nn.Module):
    def __init__(self, width: int, bins: tuple[int, ...]) -> None:
        super().__init__()
        each = width // len(bins)
        self.features = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(size), Conv1(width, each), nn.BatchNorm2d(each), nn.ReLU())
            for size in bins
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, *(resized(feature(x), x.shape[2:]) for feature in self.features)], 1)


class Pspnet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        resnet = tv.torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True])
        self.backbone = IntermediateLayerGetter(resnet, {"layer4": "out"})
        self.ppm = Pyramid(2048, (1, 2, 3, 6))
        self.cls = nn.Sequential(
            Conv3(4096, 512), nn.BatchNorm2d(512), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(512, 21, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return resized(self.cls(self.ppm(self.backbone(x)["out"])), x.shape[2:])


MAKERS: Mapping[str, Maker] = {"pspnet_resnet50": Pspnet}
