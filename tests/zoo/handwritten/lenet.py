"""LeNet-5: the form of textbooks, and the one of 1998."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Repeated(nn.Module):
    """A module applied to the maps that each entry of a table names, the results side by side."""

    def __init__(self, table: Sequence[Sequence[int]], make: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.table = table
        self.parts = nn.ModuleList(make(len(maps)) for maps in table)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x[:, maps]) for maps, part in zip(self.table, self.parts, strict=True)], 1)


class Coefficient(nn.Module):
    """A trainable coefficient and a trainable bias a map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(maps, 1, 1)), nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


class Squash(nn.Module):
    """A tanh stretched so that 1 and -1 stay what they are: the paper's A = 1.7159 and S = 2/3."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class Distances(nn.Module):
    """The squared distance of a vector from each of some fixed prototypes."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(units, features), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, :] - self.weight).square().sum(-1)


C3 = [[i, (i + 1) % 6, (i + 2) % 6] for i in range(6)]
C3 += [[(i + j) % 6 for j in range(4)] for i in range(6)]
C3 += [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]]
"""Table I of the LeNet-5 paper: three neighbours, four neighbours, two pairs, and all."""


def lenet5() -> nn.Module:
    pool = nn.AvgPool2d(2)
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), pool, nn.Conv2d(6, 16, 5), nn.Tanh(), pool, nn.Conv2d(16, 120, 5), nn.Tanh(),
        nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def lenet5_1998() -> nn.Module:
    pool, squash = nn.AvgPool2d(2), Squash()
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), squash, pool, Coefficient(6), squash,
        Repeated(C3, lambda maps: nn.Conv2d(maps, 1, 5)), squash, pool, Coefficient(16), squash,
        nn.Conv2d(16, 120, 5), squash, nn.Flatten(), nn.Linear(120, 84), squash, Distances(84, 10),
    )  # fmt: skip


MAKERS: Mapping[str, Maker] = {
    "lenet5": lenet5,
    "lenet5_1998": lenet5_1998,
}
