"""HRNets for images, their modules named as by their authors and by timm."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from tests.zoo.handwritten.common import Conv1, Conv3, Maker


def halving(before: int, width: int, *, bias: bool = False, active: bool = True) -> nn.Sequential:
    conv = Conv3(before, width, stride=2, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(width), *([nn.ReLU()] if active else []))


def bottleneck(before: int, width: int) -> Bottleneck:
    if before == 4 * width:
        return Bottleneck(before, width)
    return Bottleneck(before, width, downsample=nn.Sequential(Conv1(before, 4 * width), nn.BatchNorm2d(4 * width)))


def exchange(widths: list[int], one: int, other: int) -> nn.Module:
    """What brings branch `one` to the size and the channels of branch `other`."""
    if one == other:
        return nn.Identity()
    if one > other:
        finer = nn.Upsample(scale_factor=2 ** (one - other))
        return nn.Sequential(Conv1(widths[one], widths[other]), nn.BatchNorm2d(widths[other]), finer)
    before = [halving(widths[one], widths[one]) for _ in range(other - one - 1)]
    return nn.Sequential(*before, halving(widths[one], widths[other], active=False))


class Branches(nn.Module):
    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        count = range(len(widths))
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(w, w) for _ in range(4))) for w in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(exchange(widths, one, other) for one in count) for other in count
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return [sum(layer(x) for layer, x in zip(layers, maps, strict=True)).relu() for layers in self.fuse_layers]


class Hrnet(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = Conv3(3, 64, stride=2), nn.BatchNorm2d(64)
        self.conv2, self.bn2 = Conv3(64, 64, stride=2), nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(bottleneck(64, 64), *(bottleneck(256, 64) for _ in range(3)))
        w = [width * 2**i for i in range(4)]
        first = nn.Sequential(Conv3(256, w[0]), nn.BatchNorm2d(w[0]), nn.ReLU())
        self.transition1 = nn.ModuleList([first, nn.Sequential(halving(256, w[1]))])
        self.transition2 = nn.ModuleList([nn.Identity(), nn.Identity(), nn.Sequential(halving(w[1], w[2]))])
        self.transition3 = nn.ModuleList([*(nn.Identity() for _ in range(3)), nn.Sequential(halving(w[2], w[3]))])
        self.stage2, self.stage3, self.stage4 = (
            nn.Sequential(*(Branches(w[:count]) for _ in range(times))) for count, times in ((2, 1), (3, 4), (4, 3))
        )
        self.incre_modules = nn.ModuleList(
            nn.Sequential(bottleneck(before, inside)) for before, inside in zip(w, (32, 64, 128, 256), strict=True)
        )
        self.downsamp_modules = nn.ModuleList(
            halving(before, after, bias=True) for before, after in pairwise((128, 256, 512, 1024))
        )
        self.final_layer = nn.Sequential(nn.Conv2d(1024, 2048, 1), nn.BatchNorm2d(2048), nn.ReLU())
        self.classifier = nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()
        x = self.layer1(x)
        maps = self.stage2([layer(x) for layer in self.transition1])
        for transition, stage in ((self.transition2, self.stage3), (self.transition3, self.stage4)):
            maps = stage([layer(x) for layer, x in zip(transition, [*maps, maps[-1]], strict=True)])
        fine, *coarser = [layer(x) for layer, x in zip(self.incre_modules, maps, strict=True)]
        for down, x in zip(self.downsamp_modules, coarser, strict=True):
            fine = x + down(fine)
        return self.classifier(self.final_layer(fine).mean((2, 3)))


MAKERS: Mapping[str, Maker] = {f"hrnet_w{width}": partial(Hrnet, width) for width in (18, 32, 48)}
