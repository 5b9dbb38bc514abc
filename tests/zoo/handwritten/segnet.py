"""SegNet: an encoder, and a decoder that unpools with its indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Size, Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker

ENCODE = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
DECODE = ((512, 512, 512), (512, 512, 256), (256, 256, 128), (128, 64), (64,))


class SegNet(nn.Module):
    def __init__(
        self, encode: Sequence[Sequence[int]], decode: Sequence[Sequence[int]], classes: int, *, basic: bool = False
    ) -> None:
        super().__init__()
        kernel, self.channels = 7 if basic else 3, 3
        self.norm = nn.LocalResponseNorm(5) if basic else nn.Identity()
        self.encode = nn.ModuleList(self.convs(widths, kernel) for widths in encode)
        self.decode = nn.ModuleList(self.convs(widths, kernel, relu=not basic) for widths in decode)
        self.scores = nn.Conv2d(64, classes, 1) if basic else nn.Conv2d(64, classes, 3, padding=1)

    def convs(self, widths: Sequence[int], kernel: int, *, relu: bool = True) -> nn.Module:
        layers: list[nn.Module] = []
        for width in widths:
            conv = nn.Conv2d(self.channels, width, kernel, padding=kernel // 2)
            layers += [conv, nn.BatchNorm2d(width), *([nn.ReLU()] if relu else [])]
            self.channels = width
        return nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        pooled: list[tuple[Tensor, Size]] = []
        x = self.norm(x)
        for stage in self.encode:
            full = stage(x)
            x, indices = functional.max_pool2d(full, 2, ceil_mode=True, return_indices=True)
            pooled.append((indices, full.shape[2:]))
        for stage in self.decode:
            indices, size = pooled.pop()
            x = stage(functional.max_unpool2d(x, indices, 2, output_size=size))
        return self.scores(x)


MAKERS: Mapping[str, Maker] = {
    "segnet_camvid": partial(SegNet, ENCODE, DECODE, 11),
    "segnet_pascal": partial(SegNet, ENCODE, DECODE, 21),
    "segnet_basic": partial(SegNet, [[64]] * 4, [[64]] * 4, 11, basic=True),
}
