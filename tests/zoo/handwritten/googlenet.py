"""GoogLeNet as published, from table 1 of its paper: torchvision's, with its modules taken back to what they were."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests import tv
from tests.zoo.handwritten.common import Maker


class Plain(nn.Module):
    """A convolution with a bias and no normalization."""

    def __init__(self, before: int, width: int, **options: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).relu()


def googlenet_v1() -> nn.Module:
    modules = sys.modules[tv.torchvision.models.GoogLeNet.__module__]
    blocks = [Plain, *(partial(kind, conv_block=Plain) for kind in (modules.Inception, modules.InceptionAux))]
    network = modules.GoogLeNet(blocks=blocks, init_weights=False)
    norm = nn.LocalResponseNorm(5)
    for module in network.modules():
        if isinstance(module, modules.Inception):
            reduced, wide = module.branch3
            module.branch3[1] = Plain(reduced.conv.out_channels, wide.conv.out_channels, kernel_size=5, padding=2)
    network.maxpool1 = nn.Sequential(network.maxpool1, norm)
    network.conv3 = nn.Sequential(network.conv3, norm)
    network.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)
    return network


MAKERS: Mapping[str, Maker] = {"googlenet_v1": googlenet_v1}
