"""The module that source text makes, and its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.lower.text.execution import execute

if TYPE_CHECKING:
    from torch import nn

    from archspec.lower.weights import Weights


def build(source: str, class_name: str) -> nn.Module:
    """A new network of the class the text defines."""
    made: nn.Module = getattr(execute(source, class_name), class_name)()
    return made


def fill(module: nn.Module, weights: Weights) -> None:
    """Give a network weights that fit it; those that are not given stay as they are."""
    import torch

    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
