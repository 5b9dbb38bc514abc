"""Attention to two early stages of torchvision's VGG-16 with batch normalization."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests import tv
from tests.zoo.handwritten.common import Conv1, Maker


class Attention(nn.Module):
    """The mean of a map, each position weighed by how it and what the network sees there in the end agree."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.local, self.broad = Conv1(channels, 256), Conv1(512, 256)
        self.agreement = nn.Conv2d(256, 1, 1)
        self.scale = scale

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        local = self.local(x)
        broad = functional.interpolate(self.broad(last), scale_factor=self.scale, mode="bilinear", align_corners=False)
        return (torch.sigmoid(self.agreement(torch.relu(local + broad))) * x).mean((2, 3))


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = list(tv.torchvision.models.vgg16_bn().features)
        self.third, self.fourth, self.fifth = (nn.Sequential(*layers[a:b]) for a, b in ((0, 24), (24, 34), (34, 44)))
        self.attention = nn.ModuleList((Attention(256, 4), Attention(512, 2)))
        self.classifier = nn.Linear(512 + 256 + 512, 2)

    def forward(self, x: Tensor) -> Tensor:
        third = self.third(x)
        fourth = self.fourth(third)
        fifth = self.fifth(fourth)
        votes = [fifth.mean((2, 3)), self.attention[0](third, fifth), self.attention[1](fourth, fifth)]
        return self.classifier(torch.cat(votes, 1))


MAKERS: Mapping[str, Maker] = {"vgg16_attention": Attentive}
