"""The rules: how each op is written in PyTorch, a file a family."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.rule_table import Rules
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules import (
    activation,
    attention,
    conv,
    norm,
    parameters,
    pool,
    reduce,
    reshape,
    roi,
    shuffle,
    slicing,
    spatial,
)
from archspec.lower.torch.rules.common import Rule

RULES: Rules[Rule] = Rules("PyTorch", "archspec/lower/torch/rules/")
for _family in (conv, pool, reduce, norm, attention, parameters, activation, reshape, spatial, slicing, shuffle, roi):
    RULES.include(_family.RULES)


def leaf(node: Node) -> ModuleCall:
    """How a node is written.

    Raises:
        ArchspecError: there is no rule for its op.
    """
    return RULES[node](node)
