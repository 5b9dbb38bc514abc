"""YOLOX, its modules named as by its authors; the boxes are not decoded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


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
        self.conv1, self.conv2, self.shortcut = Base(width, width), Base(width, width, 3), shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return y + x if self.shortcut else y


class Split(nn.Module):
    def __init__(self, before: int, width: int, count: int, *, shortcut: bool = False) -> None:
        super().__init__()
        half = width // 2
        self.conv1, self.conv2, self.conv3 = Base(before, half), Base(before, half), Base(width, width)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut=shortcut) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(torch.cat([self.m(self.conv1(x)), self.conv2(x)], 1))


class Pyramid(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Base(width, width // 2), Base(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return self.conv2(torch.cat([x, *(functional.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13))], 1))


class Stem(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = Base(12, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        quarters = [x[..., row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.conv(torch.cat(quarters, 1))


class Darknet(nn.Module):
    def __init__(self, w: int, depth: int) -> None:
        super().__init__()
        self.stem = Stem(w)
        self.dark2 = nn.Sequential(Base(w, 2 * w, 3, 2), Split(2 * w, 2 * w, depth, shortcut=True))
        self.dark3 = nn.Sequential(Base(2 * w, 4 * w, 3, 2), Split(4 * w, 4 * w, 3 * depth, shortcut=True))
        self.dark4 = nn.Sequential(Base(4 * w, 8 * w, 3, 2), Split(8 * w, 8 * w, 3 * depth, shortcut=True))
        self.dark5 = nn.Sequential(Base(8 * w, 16 * w, 3, 2), Pyramid(16 * w), Split(16 * w, 16 * w, depth))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.dark3(self.dark2(self.stem(x)))
        middle = self.dark4(fine)
        return fine, middle, self.dark5(middle)


class Exchange(nn.Module):
    """Features of three scales, passed down and up again."""

    def __init__(self, w: int, depth: int) -> None:
        super().__init__()
        self.backbone = Darknet(w, depth)
        self.lateral_conv0, self.C3_p4 = Base(16 * w, 8 * w), Split(16 * w, 8 * w, depth)
        self.reduce_conv1, self.C3_p3 = Base(8 * w, 4 * w), Split(8 * w, 4 * w, depth)
        self.bu_conv2, self.C3_n3 = Base(4 * w, 4 * w, 3, 2), Split(8 * w, 8 * w, depth)
        self.bu_conv1, self.C3_n4 = Base(8 * w, 8 * w, 3, 2), Split(16 * w, 16 * w, depth)

    def forward(self, x: Tensor) -> list[Tensor]:
        fine, middle, coarse = self.backbone(x)
        double = nn.Upsample(scale_factor=2)
        coarse = self.lateral_conv0(coarse)
        middle = self.reduce_conv1(self.C3_p4(torch.cat([double(coarse), middle], 1)))
        fine = self.C3_p3(torch.cat([double(middle), fine], 1))
        middle = self.C3_n3(torch.cat([self.bu_conv2(fine), middle], 1))
        return [fine, middle, self.C3_n4(torch.cat([self.bu_conv1(middle), coarse], 1))]


class Head(nn.Module):
    def __init__(self, w: int) -> None:
        super().__init__()
        scales, width = range(3), 4 * w
        self.stems = nn.ModuleList(Base(before, width) for before in (4 * w, 8 * w, 16 * w))
        self.cls_convs, self.reg_convs = (
            nn.ModuleList(nn.Sequential(Base(width, width, 3), Base(width, width, 3)) for _ in scales) for _ in "cr"
        )
        self.cls_preds, self.reg_preds, self.obj_preds = (
            nn.ModuleList(nn.Conv2d(width, answers, 1) for _ in scales) for answers in (80, 4, 1)
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        stems = [stem(x) for stem, x in zip(self.stems, features, strict=True)]
        classes = [conv(x) for conv, x in zip(self.cls_convs, stems, strict=True)]
        scores = [pred(x).sigmoid() for pred, x in zip(self.cls_preds, classes, strict=True)]
        boxes = [conv(x) for conv, x in zip(self.reg_convs, stems, strict=True)]
        sides = [pred(x) for pred, x in zip(self.reg_preds, boxes, strict=True)]
        objects = [pred(x).sigmoid() for pred, x in zip(self.obj_preds, boxes, strict=True)]
        cells = [torch.cat(parts, 1).flatten(2) for parts in zip(sides, objects, scores, strict=True)]
        return torch.cat(cells, 2).transpose(1, 2)


class YoloX(nn.Module):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.backbone, self.head = Exchange(width, depth), Head(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


SIZES = {"tiny": (24, 1), "s": (32, 1), "m": (48, 2), "l": (64, 3), "x": (80, 4)}

MAKERS: Mapping[str, Maker] = {f"yolox_{size}": partial(YoloX, *of) for size, of in SIZES.items()}
