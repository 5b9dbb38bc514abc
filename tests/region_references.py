"""Regions of interest from their definitions, a sample of a bin at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


def _sizes(op: Any) -> tuple[int, int]:
    return op.size if isinstance(op.size, tuple) else (op.size, op.size)


def _each_box(op: Any, inputs: Sequence[Tensor], bins: Any) -> Tensor:
    """What `bins` makes of each image and box, put together."""
    features, boxes = inputs
    found = [[bins(op, image, box) for box in own] for image, own in zip(features, boxes.tolist(), strict=True)]
    return torch.stack([torch.stack(own) for own in found])


def roi_align(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """He et al. 2017, with the edges as Detectron treats them."""
    return _each_box(op, inputs, _align)


def _align(op: Any, image: Tensor, box: Sequence[float]) -> Tensor:
    x1, y1, x2, y2 = (corner * op.scale - (0.5 if op.aligned else 0) for corner in box)
    width, height = x2 - x1, y2 - y1
    if not op.aligned:
        width, height = max(width, 1), max(height, 1)
    h, w = _sizes(op)
    made = torch.zeros(image.shape[0], h, w)
    parts = [(i + 0.5) / op.samples for i in range(op.samples)]
    for i, j in itertools.product(range(h), range(w)):
        places = itertools.product(((i + a) * height / h for a in parts), ((j + b) * width / w for b in parts))
        made[:, i, j] = sum(_bilinear(image, y1 + y, x1 + x) for y, x in places) / op.samples**2
    return made


def _bilinear(image: Tensor, y: float, x: float) -> Tensor:
    _, height, width = image.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros(image.shape[0])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    corners = itertools.product({floor(y), ceil(y)}, {floor(x), ceil(x)})
    return sum((image[:, i, j] * (1 - abs(y - i)) * (1 - abs(x - j)) for i, j in corners), torch.zeros(image.shape[0]))
