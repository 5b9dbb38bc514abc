"""A training step for benchmarks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def step(model: Callable[[Tensor], Tensor], weights: nn.Module, images: Tensor) -> Callable[[], None]:
    """A training step: forward, backward and update. The loss is arbitrary, since it does not affect the time.

    Args:
        model: what is called: the module, or its compiled form.
        weights: the module, which is set to training mode.
        images: a batch.
    """
    optimizer = torch.optim.SGD(weights.train().parameters(), lr=1e-6, momentum=0.9)

    def work() -> None:
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()

    return work
