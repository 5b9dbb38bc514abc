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


def build(source: str, class_name: str) -> nn.Module:
    """A new instance of the class that the text defines, initialized as the text says."""
    return cast(nn.Module, getattr(execute(source, class_name), class_name)())


def build_with(source: str, class_name: str, graph: Graph, weights: Weights) -> nn.Module:
    """A new instance with copies of the given weights; the others are initialized as the text says.

    If all weights are given, the module is created without memory and the copies are assigned: drawing initial values
    would take most of the time. Modules of plugins are created normally, since they may hold more than weights.
    """
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    whole = len(weights) == sum(1 for _ in graph.weights())
    if not whole or any(isinstance(node.op, Op) and node.op.rules for node in graph.nodes):
        made = build(source, class_name)
        made.load_state_dict(tensors, strict=False)
        return made
    device = torch.get_default_device()
    with torch.device("meta"), _NothingNormal():
        made = build(source, class_name)
    types = {name: tensor.dtype for name, tensor in made.state_dict().items()}
    own = {name: tensor.to(device, types[name], copy=True) for name, tensor in tensors.items()}
    made.load_state_dict(own, assign=True)
    return made


class _NothingNormal(TorchFunctionMode):
    """Skips normal distributions: on the device `meta`, PyTorch takes seconds to import its compiler for them."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func is nn.init.normal_:
            return given["tensor"]
        if func is Tensor.normal_:
            return args[0]
        return func(*args, **given)
