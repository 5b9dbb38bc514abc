"""The pre-activation residual networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from tests.zoo.handwritten.common import Conv1, Conv3, Maker


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


MAKERS: Mapping[str, Maker] = {
    "preact_resnet18": partial(preact, (2, 2, 2, 2), bottleneck=False),
    "preact_resnet34": partial(preact, (3, 4, 6, 3), bottleneck=False),
    "preact_resnet50": partial(preact, (3, 4, 6, 3), bottleneck=True),
    "preact_resnet101": partial(preact, (3, 4, 23, 3), bottleneck=True),
    "preact_resnet152": partial(preact, (3, 8, 36, 3), bottleneck=True),
    "preact_resnet110_cifar": partial(preact, (18, 18, 18), bottleneck=False, width=16, classes=10),
    "preact_resnet164_cifar": partial(preact, (18, 18, 18), bottleneck=True, width=16, classes=10),
}
