"""The simple baseline for poses: torchvision's ResNet-50 up to its last stage, and three transposed convolutions."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from tests import tv
from tests.zoo.handwritten.common import Maker


def pose_resnet50() -> nn.Module:
    backbone = list(tv.torchvision.models.resnet50().children())[:-2]
    layers: list[nn.Module] = []
    for before in (2048, 256, 256):
        layers += [nn.ConvTranspose2d(before, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU()]
    return nn.Sequential(*backbone, *layers, nn.Conv2d(256, 17, 1))


MAKERS: Mapping[str, Maker] = {"pose_resnet50": pose_resnet50}
