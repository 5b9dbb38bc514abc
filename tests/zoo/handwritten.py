"""The zoo's networks once more, written by hand in PyTorch from the papers: what the specs are compared with.

`model(name)` has shapes and no values. Where torchvision has the network it is torchvision's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests import tv

Conv3 = partial(nn.Conv2d, kernel_size=3, padding=1, bias=False)
Conv1 = partial(nn.Conv2d, kernel_size=1, bias=False)


@cache
def model(name: str) -> nn.Module:
    """The network of a name in the zoo, in eval mode, on the meta device."""
    if name in tv.NAMES:
        return tv.meta_model(name)
    with torch.device("meta"):
        return MAKERS[name]().eval()


class Repeated(nn.Module):
    """A module applied to the maps that each entry of a table names, the results side by side."""

    def __init__(self, table: Sequence[Sequence[int]], make: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.table = table
        self.parts = nn.ModuleList(make(len(maps)) for maps in table)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x[:, maps]) for maps, part in zip(self.table, self.parts, strict=True)], 1)


class Coefficient(nn.Module):
    """A trainable coefficient and a trainable bias a map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(maps, 1, 1)), nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class Squash(nn.Module):
    """A tanh stretched so that 1 and -1 stay what they are: the paper's A = 1.7159 and S = 2/3."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class Distances(nn.Module):
    """The squared distance of a vector from each of some fixed prototypes."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(units, features), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, :] - self.weight).square().sum(-1)


C3 = [[i, (i + 1) % 6, (i + 2) % 6] for i in range(6)]
C3 += [[(i + j) % 6 for j in range(4)] for i in range(6)]
C3 += [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]]
"""Table I of the LeNet-5 paper: three neighbours, four neighbours, two pairs, and all."""


def lenet5() -> nn.Module:
    pool = nn.AvgPool2d(2)
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), pool, nn.Conv2d(6, 16, 5), nn.Tanh(), pool, nn.Conv2d(16, 120, 5), nn.Tanh(),
        nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def lenet5_1998() -> nn.Module:
    pool, squash = nn.AvgPool2d(2), Squash()
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), squash, pool, Coefficient(6), squash,
        Repeated(C3, lambda maps: nn.Conv2d(maps, 1, 5)), squash, pool, Coefficient(16), squash,
        nn.Conv2d(16, 120, 5), squash, nn.Flatten(), nn.Linear(120, 84), squash, Distances(84, 10),
    )  # fmt: skip


def alexnet(groups: int) -> nn.Module:
    """The network of 2012; two groups for its two GPUs."""
    norm, pool, relu = nn.LocalResponseNorm(5, 5e-4, 0.75, 2), nn.MaxPool2d(3, 2), nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4), relu, norm, pool,
        nn.Conv2d(96, 256, 5, padding=2, groups=groups), relu, norm, pool,
        nn.Conv2d(256, 384, 3, padding=1), relu, nn.Conv2d(384, 384, 3, padding=1, groups=groups), relu,
        nn.Conv2d(384, 256, 3, padding=1, groups=groups), relu, pool, nn.Flatten(),
        nn.Linear(256 * 36, 4096), relu, nn.Linear(4096, 4096), relu, nn.Linear(4096, 1000),
    )  # fmt: skip


def vgg(stages: Sequence[Sequence[tuple[int, int]]], *, lrn: bool = False) -> nn.Module:
    """Stages of convolutions, each given by its channels and its kernel; then three linear layers."""
    layers: list[nn.Module] = []
    channels = 3
    for stage in stages:
        for width, kernel in stage:
            layers += [nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.ReLU()]
            channels = width
        if lrn and stage is stages[0]:
            layers.append(nn.LocalResponseNorm(5, 5e-4, 0.75, 2))
        layers.append(nn.MaxPool2d(2))
    head = [nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


VGG_A = [[(64, 3)], [(128, 3)], [(256, 3)] * 2, [(512, 3)] * 2, [(512, 3)] * 2]
VGG_C = [[(64, 3)] * 2, [(128, 3)] * 2, *([(width, 3), (width, 3), (width, 1)] for width in (256, 512, 512))]


def stride_on_1x1(name: str) -> nn.Module:
    """torchvision's network, its strides moved from the 3x3 convolutions to the 1x1 before them."""
    network = tv.torchvision.models.get_model(name)
    for block in network.modules():
        if isinstance(block, tv.torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


class Cut(nn.Module):
    """torchvision's basic block without its shortcut."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(block.conv1, block.bn1, block.relu, block.conv2, block.bn2, block.relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def plain34() -> nn.Module:
    network = tv.torchvision.models.get_model("resnet34")
    for name in ("layer1", "layer2", "layer3", "layer4"):
        setattr(network, name, nn.Sequential(*map(Cut, getattr(network, name))))
    return network


class CifarBlock(nn.Module):
    """Two 3x3 convolutions beside an identity that is thinned out and filled up with zeros where it does not fit."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Conv3(before, width, stride=stride), nn.BatchNorm2d(width), nn.ReLU(),
            Conv3(width, width), nn.BatchNorm2d(width),
        )  # fmt: skip
        self.stride, self.zeros = stride, width - before

    def forward(self, x: Tensor) -> Tensor:
        thinned = x[:, :, :: self.stride, :: self.stride]
        return functional.relu(self.layers(x) + functional.pad(thinned, (0, 0, 0, 0, 0, self.zeros)))


def resnet_cifar(n: int) -> nn.Module:
    blocks: list[nn.Module] = []
    for before, width in pairwise((16, 16, 32, 64)):
        blocks.append(CifarBlock(before, width, 1 if before == width else 2))
        blocks += [CifarBlock(width, width, 1) for _ in range(n - 1)]
    stem = [Conv3(3, 16), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class PreActivation(nn.Module):
    """Normalization and activation before every convolution; a projection starts from the first activation."""

    def __init__(self, before: int, width: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        after = 4 * width if bottleneck else width
        norm, relu = nn.BatchNorm2d, nn.ReLU()
        self.first = nn.Sequential(norm(before), relu)
        self.others = (
            nn.Sequential(Conv1(before, width, stride=stride), norm(width), relu,
                          Conv3(width, width), norm(width), relu, Conv1(width, after))
            if bottleneck
            else nn.Sequential(Conv3(before, width, stride=stride), norm(width), relu, Conv3(width, width))
        )  # fmt: skip
        self.projection = None if before == after else Conv1(before, after, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        active = self.first(x)
        return self.others(active) + (x if self.projection is None else self.projection(active))


def preact(depths: Sequence[int], *, bottleneck: bool, width: int = 64, classes: int = 1000) -> nn.Module:
    stem: list[nn.Module] = [Conv3(3, width)]
    if width == 64:
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    blocks: list[nn.Module] = []
    channels = width
    for stage, depth in enumerate(depths):
        for i in range(depth):
            stride = 2 if stage and not i else 1
            blocks.append(PreActivation(channels, width << stage, stride, bottleneck=bottleneck))
            channels = (width << stage) * (4 if bottleneck else 1)
    tail = [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    return nn.Sequential(*stem, *blocks, *tail)


class UNet(nn.Module):
    """The U, level by level, with the skips cropped to what comes up from below."""

    def __init__(self, channels: int, classes: int, *, padded: bool) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        double = partial(self.double, padded=padded)
        self.down = nn.ModuleList(double(before, width) for before, width in pairwise((channels, *widths)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[:4])
        self.join = nn.ModuleList(double(2 * width, width) for width in widths[:4])
        self.head = nn.Conv2d(64, classes, 1)

    @staticmethod
    def double(before: int, width: int, *, padded: bool) -> nn.Module:
        if not padded:
            return nn.Sequential(nn.Conv2d(before, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())
        first = [Conv3(before, width), nn.BatchNorm2d(width), nn.ReLU()]
        return nn.Sequential(*first, Conv3(width, width), nn.BatchNorm2d(width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level in self.down:
            x = level(functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for i in (3, 2, 1, 0):
            x = self.up[i](x)
            spare = [(have - want) // 2 for have, want in zip(skips[i].shape[2:], x.shape[2:], strict=True)]
            skip = skips[i][:, :, spare[0] :, spare[1] :][:, :, : x.shape[2], : x.shape[3]]
            x = self.join[i](torch.cat([skip, x], 1))
        return self.head(x)


MAKERS: Mapping[str, Callable[[], nn.Module]] = {
    "lenet5": lenet5,
    "lenet5_1998": lenet5_1998,
    "alexnet_grouped": partial(alexnet, 2),
    "alexnet_single_tower": partial(alexnet, 1),
    "vgg11_lrn": partial(vgg, VGG_A, lrn=True),
    "vgg_c": partial(vgg, VGG_C),
    "resnet50_v1": partial(stride_on_1x1, "resnet50"),
    "resnet101_v1": partial(stride_on_1x1, "resnet101"),
    "resnet152_v1": partial(stride_on_1x1, "resnet152"),
    "plain34": plain34,
    **{f"resnet{6 * n + 2}_cifar": partial(resnet_cifar, n) for n in (3, 5, 7, 9, 18)},
    "preact_resnet18": partial(preact, (2, 2, 2, 2), bottleneck=False),
    "preact_resnet34": partial(preact, (3, 4, 6, 3), bottleneck=False),
    "preact_resnet50": partial(preact, (3, 4, 6, 3), bottleneck=True),
    "preact_resnet101": partial(preact, (3, 4, 23, 3), bottleneck=True),
    "preact_resnet152": partial(preact, (3, 8, 36, 3), bottleneck=True),
    "preact_resnet110_cifar": partial(preact, (18, 18, 18), bottleneck=False, width=16, classes=10),
    "preact_resnet164_cifar": partial(preact, (18, 18, 18), bottleneck=True, width=16, classes=10),
    "unet": partial(UNet, 1, 2, padded=False),
    "unet_padded": partial(UNet, 3, 1, padded=True),
}
"""What makes each network that torchvision has not."""
