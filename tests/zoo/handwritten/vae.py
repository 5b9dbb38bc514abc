"""A variational autoencoder, whose noise is an input."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = torch.relu(self.fc1(image.flatten(1)))
        mean, log_variance = self.fc21(hidden), self.fc22(hidden)
        latent = mean + noise * torch.exp(log_variance / 2)
        decoded = torch.sigmoid(self.fc4(torch.relu(self.fc3(latent))))
        return decoded.unflatten(1, (1, 28, 28)), mean, log_variance


MAKERS: Mapping[str, Maker] = {"vae": Vae}
