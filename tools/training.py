"""A step of training, as benchmarks time it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def step(model: Callable[[Tensor], Tensor], weights: nn.Module, images: Tensor) -> Callable[[], None]:
    """One step: forward, backward, and the weights moved. What the loss is makes no difference to the time.

    Args:
        model: what is called: the module, or what `torch.compile` made of it.
        weights: the module, put in training mode.
        images: a batch.
    """
    optimizer = torch.optim.SGD(weights.train().parameters(), lr=1e-6, momentum=0.9)

    def work() -> None:
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()

    return work
