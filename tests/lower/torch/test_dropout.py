"""What is dropped while training is what torchvision and PyTorch drop, given the same random numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its usual name

from tests.frontend.specs import net
from tests.tv import torchvision


@pytest.mark.parametrize(
    ("layer", "meaning"),
    [
        ("stochastic_depth: 0.4", lambda x: torchvision.ops.stochastic_depth(x, 0.4, "row")),
        ("stochastic_depth: {p: 0.4, mode: batch}", lambda x: torchvision.ops.stochastic_depth(x, 0.4, "batch")),
        ("stochastic_depth: 0.0", lambda x: x),
        ("spatial_dropout: 0.4", lambda x: F.dropout2d(x, 0.4)),
        ("spatial_dropout: {name: drop, p: 0.4}", lambda x: F.dropout2d(x, 0.4)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dropout_in_training(layer: str, meaning: Callable[[Tensor], Tensor], seed: int) -> None:
    module = net(f"- {layer}").to_torch().train()
    x = torch.randn(6, 4, 8, 8)
    torch.manual_seed(seed)
    expected = meaning(x)
    torch.manual_seed(seed)
    torch.testing.assert_close(module(x), expected)
