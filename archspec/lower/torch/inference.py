"""Runs a module on arrays at inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.ir.graph import Graph

if TYPE_CHECKING:
    from torch import nn


def outputs(module: nn.Module, graph: Graph, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a graph's module at inference, by name.

    Args:
        module: the module, in eval mode.
        graph: the graph that the module was built from, with any input sizes.
        inputs: NumPy arrays by the names of the inputs.
    """
    import torch

    with torch.no_grad():
        returned = module(*(torch.from_numpy(inputs[value.name]) for value in graph.inputs))
    returned = returned if isinstance(returned, tuple) else (returned,)
    values = [value for value in returned if value is not None]  # training-only outputs are None
    names = [output.name for output in graph.inference_outputs]
    return {name: value.numpy() for name, value in zip(names, values, strict=True)}
