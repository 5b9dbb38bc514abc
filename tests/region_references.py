"""Regions of interest from their definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import ceil, floor
from typing import Any

import numpy as np
import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


def roi_align(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """He et al. 2017, with the edges as Detectron treats them.

    A bilinear sample is a sum over all rows and columns, each by how near it is: 1 less its distance, 0 beyond 1.
    """
    features, boxes = inputs
    h, w = _bins(op)
    x1, y1, x2, y2 = (boxes * op.scale - (0.5 if op.aligned else 0)).unbind(2)
    rows = _near(_samples(y1, y2, h, op), features.shape[2])[:, :, None, :, None, :, None]
    columns = _near(_samples(x1, x2, w, op), features.shape[3])[:, :, None, None, :, None, :]
    values = (rows * columns * features[:, None, :, None, None]).sum((-2, -1))
    return values.unflatten(4, (w, op.samples)).unflatten(3, (h, op.samples)).mean((4, 6))


def _bins(op: Any) -> tuple[int, int]:
    return op.size if isinstance(op.size, tuple) else (op.size, op.size)


def _samples(first: Tensor, last: Tensor, bins: int, op: Any) -> Tensor:
    """Where the samples of each box lie along an axis."""
    extent = last - first if op.aligned else (last - first).clamp(min=1)
    shares = (torch.arange(bins * op.samples, device=first.device) + 0.5) / (bins * op.samples)
    return first[..., None] + shares * extent[..., None]


def _near(places: Tensor, length: int) -> Tensor:
    """How near each place is to each of the positions of an axis; 0 to all where it lies too far outside."""
    positions = torch.arange(length, device=places.device)
    near = 1 - (places.clamp(0, length - 1)[..., None] - positions).abs()
    return near.clamp(min=0) * ((places >= -1) & (places <= length))[..., None]


def roi_pool(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """Girshick 2015, a bin at a time. Corners and bins are computed in single precision, as in Caffe."""
    features, boxes = inputs
    if features.is_meta:  # which has no values to round
        return features.new_empty(*boxes.shape[:2], features.shape[1], *_bins(op))
    found = [[_pool(op, image, box) for box in own] for image, own in zip(features, boxes.tolist(), strict=True)]
    return torch.stack([torch.stack(own) for own in found])


def _pool(op: Any, image: Tensor, box: Sequence[float]) -> Tensor:
    x1, y1, x2, y2 = (_rounded(float(np.float32(corner) * np.float32(op.scale))) for corner in box)
    h, w = _bins(op)
    made = torch.zeros(image.shape[0], h, w)
    for i, j in product(range(h), range(w)):
        rows, columns = _bin(i, y1, y2, h, image.shape[1]), _bin(j, x1, x2, w, image.shape[2])
        if rows and columns:
            made[:, i, j] = image[:, rows][:, :, columns].amax(dim=(1, 2))
    return made


def _rounded(value: float) -> int:
    """The nearest whole number; halves go away from 0."""
    return int(value + (0.5 if value > 0 else -0.5))


def _bin(number: int, first: int, last: int, bins: int, length: int) -> list[int]:
    share = np.float32(max(last - first + 1, 1)) / np.float32(bins)
    start, stop = first + floor(np.float32(number) * share), first + ceil(np.float32(number + 1) * share)
    return list(range(max(start, 0), min(stop, length)))
