"""Dense prediction: the output has the size of the input, for images of any size."""

from __future__ import annotations

import pytest
import torch

import archspec

ANY = {
    "fcn32s": [(500, 500), (333, 400), (97, 64)],
    "fcn16s": [(500, 500), (333, 400), (97, 64)],
    "fcn8s": [(500, 500), (333, 400), (97, 64)],
    "segnet_camvid": [(360, 480), (45, 61), (97, 50)],
    "segnet_basic": [(360, 480), (45, 61), (97, 50)],
    "deeplabv3_resnet50": [(520, 520), (513, 257), (33, 70)],
    "fcn_resnet50": [(520, 520), (513, 257), (33, 70)],
    "pspnet_resnet50": [(473, 473), (513, 257), (33, 70)],
}
"""Networks that take any size, as their papers say, and three to try: their own, and others that halve to odd ones."""

HALVED = {
    "unet_padded": [(256, 256), (64, 80), (16, 48)],
    "unet_intel_2d": [(128, 128), (64, 80), (16, 48)],
    "unet_intel_3d": [(144, 144, 144), (32, 48, 16), (16, 16, 64)],
    "unet_resnet34": [(256, 256), (64, 96), (32, 160)],
}
"""Networks that take what they can halve and double again."""

UNPADDED = [(572, 388), (444, 260), (188, 4)]
"""Sizes before and after the U-Net as published, which loses 184 positions (Ronneberger 2015, figure 1)."""


def channels(name: str) -> int:
    return next(iter(archspec.load(name).inputs.values()))[0]


@pytest.mark.parametrize(("name", "sizes"), [(name, size) for name in ANY | HALVED for size in (ANY | HALVED)[name]])
def test_what_comes_out_has_the_size_of_what_went_in(name: str, sizes: tuple[int, ...]) -> None:
    net = archspec.load(name, input=(channels(name), *sizes))
    assert next(iter(net.outputs.values()))[1:] == sizes


@pytest.mark.parametrize(("name", "sizes"), [(name, size) for name in ANY for size in ANY[name][1:]])
def test_one_module_takes_every_size(name: str, sizes: tuple[int, ...]) -> None:
    with torch.device("meta"):
        module = archspec.load(name).to_torch().eval()
        assert module(torch.empty(1, channels(name), *sizes)).shape[2:] == sizes


@pytest.mark.parametrize(("before", "after"), UNPADDED)
def test_a_network_without_padding_loses_a_border(before: int, after: int) -> None:
    net = archspec.load("unet", input=(1, before, before))
    assert next(iter(net.outputs.values()))[1:] == (after, after)
