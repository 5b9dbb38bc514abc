"""Squeeze and excitation on torchvision's ResNets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests import tv
from tests.zoo.handwritten.common import Maker
from tests.zoo.handwritten.resnet import stride_on_1x1


class Gated(nn.Module):
    """A normalization, and the channels it gives times a gate each, worked out from their means."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        channels = norm.num_features
        self.norm = norm
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels // 16, 1), nn.ReLU(),
            nn.Conv2d(channels // 16, channels, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        return x * self.gate(x)


def gated(network: nn.Module, last: str) -> nn.Module:
    """A ResNet whose pooling is Caffe's and whose branches are gated after the normalization called `last`."""
    network.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for block in network.modules():
        if isinstance(block, tv.torchvision.models.resnet.BasicBlock | tv.torchvision.models.resnet.Bottleneck):
            setattr(block, last, Gated(getattr(block, last)))
    return network


def basic(name: str) -> nn.Module:
    return gated(tv.torchvision.models.get_model(name), "bn2")


def bottleneck(name: str) -> nn.Module:
    return gated(stride_on_1x1(name), "bn3")


MAKERS: Mapping[str, Maker] = {
    **{f"se_{name}": partial(basic, name) for name in ("resnet18", "resnet34")},
    **{f"se_{name}": partial(bottleneck, name) for name in ("resnet50", "resnet101")},
}
