"""The Siamese network: both images go through the same layers."""

from __future__ import annotations

import torch
from torch import nn

import archspec


def test_the_twins_are_one_network() -> None:
    layers: list[nn.Module] = []
    for before, after, kernel in ((1, 64, 10), (64, 128, 7), (128, 128, 4)):
        layers += nn.Conv2d(before, after, kernel), nn.ReLU(), nn.MaxPool2d(2)
    layers += nn.Conv2d(128, 256, 4), nn.ReLU(), nn.Flatten(), nn.Linear(9216, 4096), nn.Sigmoid()
    twin, score = nn.Sequential(*layers), nn.Linear(4096, 1)
    module = archspec.load("siamese").to_torch().eval()
    theirs = {**twin.state_dict(prefix="first."), **score.state_dict(prefix="score.")}
    module.load_state_dict(dict(zip(module.state_dict(), theirs.values(), strict=True)))
    left, right = torch.rand(2, 2, 1, 105, 105)
    with torch.no_grad():
        expected = torch.sigmoid(score((twin(left) - twin(right)).abs()))
        torch.testing.assert_close(module(left, right), expected)
