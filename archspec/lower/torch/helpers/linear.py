"""Modules of generated source: maps between feature vectors."""

import torch
from torch import Tensor, nn


class CapsuleVotes(nn.Module):
    """What each capsule foretells of each of the next: a matrix for every pair."""

    def __init__(
        self,
        in_capsules: int,
        in_features: int,
        capsules: int,
        features: int,
    ) -> None:
        super().__init__()
        weight = torch.empty(in_capsules, capsules, features, in_features)
        self.weight = nn.Parameter(nn.init.normal_(weight, std=0.1))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1:] != self.weight.shape[::3]:
            raise ValueError(f"wrong number of capsules or features: {x.shape}")
        return torch.einsum("ijfk,nik->nijf", self.weight, x)


class RadialBasis(nn.Module):
    """Squared distances to a prototype a unit: sum_j (x_j - w_ij)^2."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(units, features)))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] != self.weight.shape[1]:
            raise ValueError(f"wrong number of features: {x.shape[1]}")
        return (x.unsqueeze(1) - self.weight).square().sum(dim=2)
