"""Multilayer perceptrons for handwritten digits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Scaled(nn.Module):
    """The paper's activation: A tanh(B x) with A = 1.7159 and B = 0.6666."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(0.6666 * x)


def mlp(*hidden: int, inputs: int = 29 * 29, activation: type[nn.Module] = Scaled) -> nn.Module:
    layers = [(nn.Linear(before, after), activation()) for before, after in pairwise((inputs, *hidden))]
    return nn.Sequential(nn.Flatten(), *(part for pair in layers for part in pair), nn.Linear(hidden[-1], 10))


MAKERS: Mapping[str, Maker] = {
    "mlp_1000_500": partial(mlp, 1000, 500),
    "mlp_1500_1000_500": partial(mlp, 1500, 1000, 500),
    "mlp_2000_1500_1000_500": partial(mlp, 2000, 1500, 1000, 500),
    "mlp_2500_2000_1500_1000_500": partial(mlp, 2500, 2000, 1500, 1000, 500),
    "mlp_9x1000": partial(mlp, *[1000] * 9),
    "mlp_keras": partial(mlp, 512, 512, inputs=784, activation=nn.ReLU),
}
