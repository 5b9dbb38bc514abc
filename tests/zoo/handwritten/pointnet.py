"""PointNet, its modules named as in fxia22/pointnet.pytorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Points(nn.Module):
    """Layers that all points share, and the largest value of each feature."""

    def add_convs(self, *widths: int) -> None:
        for i, (before, width) in enumerate(pairwise(widths), 1):
            self.add_module(f"conv{i}", nn.Conv1d(before, width, 1))
            self.add_module(f"bn{i}", nn.BatchNorm1d(width))

    def apply_conv(self, i: int, x: Tensor) -> Tensor:
        return self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(x))


class Transform(Points):
    """The matrix that a cloud is multiplied with."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.add_convs(size, 64, 128, 1024)
        self.fc1, self.fc2, self.fc3 = nn.Linear(1024, 512), nn.Linear(512, 256), nn.Linear(256, size * size)
        self.bn4, self.bn5 = nn.BatchNorm1d(512), nn.BatchNorm1d(256)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i in (1, 2, 3):
            y = self.apply_conv(i, y).relu()
        y = self.bn4(self.fc1(y.amax(2))).relu()
        y = self.fc3(self.bn5(self.fc2(y)).relu())
        matrix = y.view(-1, self.size, self.size) + torch.eye(self.size, device=y.device)
        return (x.transpose(1, 2) @ matrix).transpose(1, 2)


class Features(Points):
    def __init__(self, before: Sequence[int], after: Sequence[int], *, transforms: bool, linear: bool) -> None:
        super().__init__()
        self.first, self.last, self.linear = len(before) + 1, len(before) + len(after), linear
        self.add_convs(3, *before, *after)
        self.stn, self.fstn = (Transform(3), Transform(before[-1])) if transforms else (nn.Identity(), nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stn(x)
        for i in range(1, self.last + 1):
            x = self.apply_conv(i, self.fstn(x) if i == self.first else x)
            if not self.linear or i < self.last:
                x = x.relu()
        return x.amax(2)


class PointNet(nn.Module):
    def __init__(
        self, before: Sequence[int] = (64, 64), after: Sequence[int] = (64, 128, 1024), *,
        transforms: bool = True, linear: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.feat = Features(before, after, transforms=transforms, linear=linear)
        self.fc1, self.fc2, self.fc3 = nn.Linear(1024, 512), nn.Linear(512, 256), nn.Linear(256, 40)
        self.bn1, self.bn2, self.dropout = nn.BatchNorm1d(512), nn.BatchNorm1d(256), nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.fc1(self.feat(x))).relu()
        x = self.bn2(self.fc2(self.dropout(x))).relu()
        return self.fc3(self.dropout(x))


MAKERS: Mapping[str, Maker] = {
    "pointnet": PointNet,
    "pointnet_vanilla": partial(PointNet, transforms=False),
    "pointnet_pytorch": partial(PointNet, (64,), (128, 1024), linear=True),
}
