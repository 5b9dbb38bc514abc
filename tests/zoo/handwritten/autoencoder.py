"""Convolutional autoencoders for handwritten digits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


def pooled() -> nn.Module:
    conv, pool = partial(nn.Conv2d, kernel_size=3), nn.MaxPool2d(2, ceil_mode=True)
    up, relu = nn.Upsample(scale_factor=2), nn.ReLU()
    return nn.Sequential(
        conv(1, 16, padding=1), relu, pool, conv(16, 8, padding=1), relu, pool, conv(8, 8, padding=1), relu, pool,
        conv(8, 8, padding=1), relu, up, conv(8, 8, padding=1), relu, up, conv(8, 16), relu, up,
        conv(16, 1, padding=1), nn.Sigmoid(),
    )  # fmt: skip


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution to twice the input: a row is cut before its output and two after, as Keras does."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 5, 2, padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x, output_size)[:, :, :-1, :-1]


def strided() -> nn.Module:
    pad, relu = nn.ZeroPad2d((1, 2, 1, 2)), nn.ReLU()
    return nn.Sequential(
        pad, nn.Conv2d(1, 32, 5, 2), relu, pad, nn.Conv2d(32, 64, 5, 2), relu, nn.Conv2d(64, 128, 3, 2), relu,
        nn.Flatten(), nn.Linear(1152, 10), nn.Linear(10, 1152), relu, nn.Unflatten(1, (128, 3, 3)),
        nn.ConvTranspose2d(128, 64, 3, 2), relu, Doubling(64, 32), relu, Doubling(32, 1),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {"autoencoder_pooled": pooled, "autoencoder_strided": strided}
