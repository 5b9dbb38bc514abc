"""CapsNet: capsules routed by agreement, and an image made from the right one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


def squash(x: Tensor) -> Tensor:
    square = x.square().sum(-1, keepdim=True)
    return square / (1 + square) * functional.normalize(x, dim=-1)


class Votes(nn.Module):
    """A matrix from each of 1152 capsules of 8 to each of 10 capsules of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(1152, 10, 16, 8))

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight @ x[:, :, None, :, None]).squeeze(-1)


class CapsNet(nn.Module):
    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.conv1, self.primary, self.votes = nn.Conv2d(1, 256, 9), nn.Conv2d(256, 256, 9, 2), Votes()
        self.decoder = nn.Sequential(
            nn.Linear(160, 512), nn.ReLU(), nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 784), nn.Sigmoid()
        )

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        x = self.primary(functional.relu(self.conv1(image)))
        x = squash(x.unflatten(1, (32, 8)).flatten(3).transpose(2, 3).flatten(1, 2))
        votes = self.votes(x)
        logits = torch.zeros_like(votes[..., 0])
        for _ in range(self.rounds):
            capsules = squash((logits.softmax(2)[..., None] * votes).sum(1))
            logits = logits + (votes * capsules[:, None]).sum(-1)
        return capsules.norm(dim=-1), self.decoder((capsules * label[..., None]).flatten(1))


MAKERS: Mapping[str, Maker] = {"capsnet": partial(CapsNet, 3), "capsnet_one_round": partial(CapsNet, 1)}
