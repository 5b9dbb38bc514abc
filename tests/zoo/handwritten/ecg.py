"""A residual network over time, for electrocardiograms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


def same(stride: int = 1) -> nn.Module:
    """The zeros that TensorFlow lays around a kernel of 16, the odd one after the input."""
    return nn.ConstantPad1d((7, 8) if stride == 1 else (7, 7), 0.0)


def norm(channels: int) -> nn.Module:
    return nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01)


class Pair(nn.Module):
    def __init__(self, index: int) -> None:
        super().__init__()
        width, self.stride = 32 << index // 4, 1 + index % 2
        before = width // 2 if index and index % 4 == 0 else width
        self.zeros = width - before
        first = [norm(before), nn.ReLU()] if index else []
        self.layers = nn.Sequential(
            *first, same(self.stride), nn.Conv1d(before, width, 16, self.stride), norm(width), nn.ReLU(),
            same(), nn.Conv1d(width, width, 16),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + functional.pad(functional.max_pool1d(x, self.stride), (0, 0, 0, self.zeros))


def ecg(classes: int) -> nn.Module:
    stem = [same(), nn.Conv1d(1, 32, 16), norm(32), nn.ReLU()]
    tail = [norm(256), nn.ReLU(), nn.Conv1d(256, classes, 1), nn.Softmax(1)]
    return nn.Sequential(*stem, *map(Pair, range(16)), *tail)


MAKERS: Mapping[str, Maker] = {"ecg_rhythm": partial(ecg, 12), "ecg_cinc17": partial(ecg, 4)}
