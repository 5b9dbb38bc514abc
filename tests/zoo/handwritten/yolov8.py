"""YOLOv8, its modules named as by Ultralytics; the boxes are decoded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker

CLASSES, BINS = 80, 16


class Base(nn.Module):
    def __init__(self, before: int, width: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False)
        self.bn, self.act = nn.BatchNorm2d(width, eps=1e-3, momentum=0.03), nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, width: int, *, shortcut: bool) -> None:
        super().__init__()
        self.cv1, self.cv2, self.shortcut = Base(width, width, 3), Base(width, width, 3), shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class Split(nn.Module):
    def __init__(self, before: int, width: int, count: int, *, shortcut: bool = False) -> None:
        super().__init__()
        half = width // 2
        self.cv1, self.cv2 = Base(before, width), Base((2 + count) * half, width)
        self.m = nn.ModuleList(Bottleneck(half, shortcut=shortcut) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for bottleneck in self.m:
            parts.append(bottleneck(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class Pyramid(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.cv1, self.cv2 = Base(width, width // 2), Base(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cv1(x)
        around = [nn.functional.max_pool2d(x, 2 * radius + 1, 1, radius) for radius in (2, 4, 6)]
        return self.cv2(torch.cat([x, *around], 1))


class Distances(nn.Module):
    """The mean of 0 to 15, weighted by the softmax of as many numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(BINS, 1, 1, bias=False).requires_grad_(requires_grad=False)
        self.conv.weight.copy_(torch.arange(BINS).view(1, BINS, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.unflatten(1, (4, BINS)).transpose(1, 2).softmax(1)).squeeze(1)


class Detect(nn.Module):
    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.cv2, self.cv3 = (
            nn.ModuleList(
                nn.Sequential(Base(before, width, 3), Base(width, width, 3), nn.Conv2d(width, answers, 1))
                for before in widths
            )
            for width, answers in (
                (max(widths[0] // 4, 4 * BINS), 4 * BINS), (max(widths[0], CLASSES), CLASSES)
            )
        )  # fmt: skip
        self.dfl = Distances()

    def forward(self, *features: Tensor) -> Tensor:
        offsets = [conv(x) for conv, x in zip(self.cv2, features, strict=True)]
        scores = [conv(x).flatten(2) for conv, x in zip(self.cv3, features, strict=True)]
        sides = self.dfl(torch.cat([x.flatten(2) for x in offsets], 2))
        middles = torch.cat([self.middles(x) for x in features], 2)
        strides = torch.cat([torch.full_like(x[:1, :1], 8 * 2**i).flatten(2) for i, x in enumerate(features)], 2)
        first, last = middles - sides[:, :2], middles + sides[:, 2:]
        boxes = torch.cat([(first + last) / 2, last - first], 1) * strides
        return torch.cat([boxes, torch.cat(scores, 2).sigmoid()], 1)

    @staticmethod
    def middles(x: Tensor) -> Tensor:
        rows, columns = (torch.arange(size, device=x.device) + 0.5 for size in x.shape[2:])
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack([x, y]).flatten(1)[None]


class YoloV8(nn.Module):
    def __init__(self, w: int, last: int, depth: int) -> None:
        super().__init__()
        wide, double = last * w, partial(nn.Upsample, scale_factor=2)
        self.model = nn.ModuleList([
            Base(3, w, 3, 2), Base(w, 2 * w, 3, 2), Split(2 * w, 2 * w, depth, shortcut=True),
            Base(2 * w, 4 * w, 3, 2), Split(4 * w, 4 * w, 2 * depth, shortcut=True),
            Base(4 * w, 8 * w, 3, 2), Split(8 * w, 8 * w, 2 * depth, shortcut=True),
            Base(8 * w, wide, 3, 2), Split(wide, wide, depth, shortcut=True), Pyramid(wide),
            double(), nn.Identity(), Split(8 * w + wide, 8 * w, depth),
            double(), nn.Identity(), Split(12 * w, 4 * w, depth),
            Base(4 * w, 4 * w, 3, 2), nn.Identity(), Split(12 * w, 8 * w, depth),
            Base(8 * w, 8 * w, 3, 2), nn.Identity(), Split(8 * w + wide, wide, depth),
            Detect(4 * w, 8 * w, wide),
        ])  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        seen: dict[int, Tensor] = {}
        joined = {11: 6, 14: 4, 17: 12, 20: 9}
        for i, layer in enumerate(self.model[:-1]):
            x = layer(torch.cat([x, seen[joined[i]]], 1) if i in joined else x)
            seen[i] = x
        return self.model[-1](seen[15], seen[18], seen[21])


SIZES = {"n": (16, 16, 1), "s": (32, 16, 1), "m": (48, 12, 2), "l": (64, 8, 3), "x": (80, 8, 3)}

MAKERS: Mapping[str, Maker] = {f"yolov8{size}": partial(YoloV8, *of) for size, of in SIZES.items()}
