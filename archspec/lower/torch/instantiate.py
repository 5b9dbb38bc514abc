"""Instantiates the module that source text defines, with its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archspec.ir.graph import Graph
from archspec.lower.text.exec_source import execute
from archspec.lower.weights import Weights
from archspec.ops import Op


def build(source: str) -> nn.Module:
    """A new instance of the network's class in its source text, initialized as the text says."""
    return cast(nn.Module, execute(source)())


def build_with(source: str, graph: Graph, weights: Weights) -> nn.Module:
    """A new instance with copies of the given weights; the others are initialized as the text says.

    If all weights are given, the module is created without memory and the copies are assigned: drawing initial values
    would take most of the time. Modules of plugins are created normally, since they may have state besides weights.
    """
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    complete = len(weights) == sum(1 for _ in graph.weights())
    if not complete or any(isinstance(node.op, Op) and node.op.rules for node in graph.nodes):
        module = build(source)
        module.load_state_dict(tensors, strict=False)
        return module
    device = torch.get_default_device()
    with torch.device("meta"), _SkipNormal():
        module = build(source)
    types = {name: tensor.dtype for name, tensor in module.state_dict().items()}
    copies = {name: tensor.to(device, types[name], copy=True) for name, tensor in tensors.items()}
    module.load_state_dict(copies, assign=True)
    return module


class _SkipNormal(TorchFunctionMode):
    """Skips normal distributions: on the meta device, PyTorch imports its compiler for them, which takes seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        options = kwargs or {}
        if func is nn.init.normal_:
            return options["tensor"]
        if func is Tensor.normal_:
            return args[0]
        return func(*args, **options)
