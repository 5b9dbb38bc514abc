"""DCGAN, as in pytorch/examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Maker

Up = partial(nn.ConvTranspose2d, kernel_size=4, bias=False)
Down = partial(nn.Conv2d, kernel_size=4, bias=False)


def generator() -> nn.Module:
    layers: list[nn.Module] = [Up(100, 512), nn.BatchNorm2d(512), nn.ReLU()]
    for width in (256, 128, 64):
        layers += [Up(2 * width, width, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, Up(64, 3, stride=2, padding=1), nn.Tanh())


def discriminator() -> nn.Module:
    layers: list[nn.Module] = [Down(3, 64, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for width in (128, 256, 512):
        layers += [Down(width // 2, width, stride=2, padding=1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, Down(512, 1), nn.Sigmoid())


MAKERS: Mapping[str, Maker] = {"dcgan_generator": generator, "dcgan_discriminator": discriminator}
