"""The configurations of VGG that torchvision has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Maker


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


MAKERS: Mapping[str, Maker] = {
    "vgg11_lrn": partial(vgg, VGG_A, lrn=True),
    "vgg_c": partial(vgg, VGG_C),
}
