"""SRGAN's generator and its discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Beside(nn.Module):
    """Layers beside an identity."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + x


def conv_norm() -> nn.Module:
    return nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64))


def generator(slopes: int) -> nn.Module:
    act = partial(nn.PReLU, slopes)
    blocks = [Beside(conv_norm(), act(), conv_norm()) for _ in range(16)]
    up = [part for _ in range(2) for part in (nn.Conv2d(64, 256, 3, padding=1), nn.PixelShuffle(2), act())]
    first = [nn.Conv2d(3, 64, 9, padding=4), act()]
    return nn.Sequential(*first, Beside(*blocks, conv_norm()), *up, nn.Conv2d(64, 3, 9, padding=4))


def discriminator() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1), nn.LeakyReLU(0.2)]
    before = 64
    for width, stride in ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)):
        layers += [nn.Conv2d(before, width, 3, stride, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        before = width
    tail = [nn.Linear(512 * 36, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Flatten(), *tail)


MAKERS: Mapping[str, Maker] = {
    "srgan_generator": partial(generator, 1),
    "srgan_generator_per_channel": partial(generator, 64),
    "srgan_discriminator": discriminator,
}
