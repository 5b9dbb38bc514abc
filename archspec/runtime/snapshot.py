"""A module as it stands at one moment, to be held against what it is later: changed weights, other parts, hooks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any

from torch import Tensor, nn


class ModuleSnapshot:
    """The parts, weights and hooks of a module at one moment.

    It sees weights that are written in place, loaded or replaced. It does not see what PyTorch does not count, such as
    `weight.data.mul_(2)`, nor attributes of a layer such as its stride.
    """

    def __init__(self, module: nn.Module) -> None:
        parts = tuple(module.modules())
        self._tables = tuple(table for part in parts for table in _tables(part) if table)
        self._hooks = (*(part._forward_pre_hooks for part in parts), *(part._forward_hooks for part in parts))
        self._weights = (*module.parameters(), *module.buffers())
        self._counted = tuple(weight for weight in self._weights if not weight.is_inference())
        self._memory = tuple(weight.detach() for weight in self._weights)  # or other weights could come to lie there
        self._state = self._now()

    def holds(self) -> bool:
        """Whether the module still stands so."""
        return self._now() == self._state

    def _now(self) -> tuple[list[int], ...]:
        """Which children and weights there are, and how many hooks; where weights lie, and how often each was written.

        It is asked before every call, so that what runs is C.
        """
        entries = map(id, chain.from_iterable(table.values() for table in self._tables))
        places, writes = map(Tensor.data_ptr, self._weights), map(attrgetter("_version"), self._counted)
        return list(entries), list(map(len, self._hooks)), list(places), list(writes)


def form(module: nn.Module) -> list[Hashable]:
    """What a module is but for its numbers: its parts and their classes, its weights and their forms, its hooks."""
    parts = [
        (name, type(part), bool(part._forward_hooks or part._forward_pre_hooks))
        for name, part in module.named_modules()
    ]
    weights = (*module.named_parameters(), *module.named_buffers())
    return [*parts, *((key, weight.shape, weight.dtype, weight.device, weight.layout) for key, weight in weights)]


def _tables(part: nn.Module) -> tuple[Mapping[str, Any], ...]:
    """What PyTorch keeps the children and the weights of a part in."""
    return part._modules, part._parameters, part._buffers
