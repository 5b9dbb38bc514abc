"""Dilated convolutions for segmentation: the front end and the context module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from torch import nn

from tests.zoo.handwritten.common import Maker

LARGE = (2, 2, 4, 8, 16, 32, 32)


def front_end(classes: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    before = 3
    for width, count, dilation in ((64, 2, 1), (128, 2, 1), (256, 3, 1), (512, 3, 1), (512, 3, 2)):
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, dilation=dilation), nn.ReLU()]
            before = width
        if width < 512:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    head = [nn.Conv2d(512, 4096, 7, dilation=4), nn.ReLU(), nn.Conv2d(4096, 4096, 1), nn.ReLU()]
    return [*layers, *head, nn.Conv2d(4096, classes, 1)]


def module(classes: int, dilations: Sequence[int], widths: Sequence[int], *, margin: bool = False) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.ZeroPad2d(sum(dilations))] if margin else []
    before = 1
    for dilation, width in zip(dilations, widths, strict=True):
        padding = 0 if margin else dilation
        conv = nn.Conv2d(before * classes, width * classes, 3, padding=padding, dilation=dilation)
        layers += [conv, nn.ReLU()]
        before = width
    return [*layers, nn.Conv2d(before * classes, classes, 1)]


def network(
    classes: int, dilations: Sequence[int], widths: Sequence[int] | None = None, *, margin: bool = False
) -> nn.Module:
    """The front end with a context module behind it, a basic one unless its widths are given."""
    context = module(classes, dilations, widths or [1] * len(dilations), margin=margin)
    return nn.Sequential(*front_end(classes), *context)


def cityscapes() -> nn.Module:
    """The output is interpolated, each class for itself, by weights that do not learn."""
    larger = nn.ConvTranspose2d(19, 19, 16, 8, 4, groups=19, bias=False).requires_grad_(requires_grad=False)
    return nn.Sequential(network(19, (1, 1, 2, 4, 8, 16, 32, 64, 1)), larger)


DILATION_8 = (1, 1, 2, 4, 8, 16, 1)

MAKERS: Mapping[str, Maker] = {
    "dilation8_pascal_voc": partial(network, 21, DILATION_8, LARGE, margin=True),
    "dilation8_camvid": partial(network, 11, DILATION_8),
    "dilation7_kitti": partial(network, 11, (1, 1, 2, 4, 8, 1)),
    "dilation10_cityscapes": cityscapes,
    "dilation_front_end": lambda: nn.Sequential(*front_end(21)),
    "context_basic": lambda: nn.Sequential(*module(21, DILATION_8, [1] * 7)),
    "context_large": lambda: nn.Sequential(*module(21, DILATION_8, LARGE)),
}
