"""The state of a module at one moment, to detect later changes of its weights, layers and hooks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any

from torch import Tensor, nn


class ModuleSnapshot:
    """The layers, weights and hooks of a module at one moment.

    It detects weights that are written in place, loaded or replaced. It does not detect writes that PyTorch does not
    count, such as `weight.data.mul_(2)`, or changed attributes of a layer, such as its stride.
    """

    def __init__(self, module: nn.Module) -> None:
        layers = tuple(module.modules())
        self._tables = tuple(table for layer in layers for table in _tables(layer) if table)
        self._hooks = (*(layer._forward_pre_hooks for layer in layers), *(layer._forward_hooks for layer in layers))
        self._weights = (*module.parameters(), *module.buffers())
        self._versioned = tuple(weight for weight in self._weights if not weight.is_inference())
        # Keeps the memory alive: otherwise other weights could be allocated at the same address.
        self._memory = tuple(weight.detach() for weight in self._weights)
        self._state = self._current()

    def is_current(self) -> bool:
        """Whether the module is still in this state."""
        return self._current() == self._state

    def _current(self) -> tuple[list[int], ...]:
        """The identities of layers and weights, the number of hooks, and the address and version of each weight.

        Called before every forward pass, so it iterates in C only.
        """
        entries = map(id, chain.from_iterable(table.values() for table in self._tables))
        addresses, versions = map(Tensor.data_ptr, self._weights), map(attrgetter("_version"), self._versioned)
        return list(entries), list(map(len, self._hooks)), list(addresses), list(versions)


def structure(module: nn.Module) -> list[Hashable]:
    """Everything about a module but the values of its weights: layers and classes, shapes and types, hooks."""
    layers = [
        (name, type(layer), bool(layer._forward_hooks or layer._forward_pre_hooks))
        for name, layer in module.named_modules()
    ]
    weights = (*module.named_parameters(), *module.named_buffers())
    return [*layers, *((key, weight.shape, weight.dtype, weight.device, weight.layout) for key, weight in weights)]


def _tables(layer: nn.Module) -> tuple[Mapping[str, Any], ...]:
    """The dictionaries in which PyTorch keeps a layer's children and weights."""
    return layer._modules, layer._parameters, layer._buffers
