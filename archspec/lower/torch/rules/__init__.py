"""The rules: how each op is written in PyTorch, a file a family."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.rules import Rules
from archspec.lower.torch.leaf import Leaf
from archspec.lower.torch.rules import (
    affine,
    attention,
    conv,
    layout,
    learned,
    like,
    parts,
    pointwise,
    pool,
    reduce,
    region,
    shuffle,
)
from archspec.lower.torch.rules.common import Rule

RULES: Rules[Rule] = Rules("PyTorch", "archspec/lower/torch/rules/")
for _family in (conv, pool, reduce, affine, attention, learned, pointwise, layout, like, parts, shuffle, region):
    RULES.include(_family.RULES)


def leaf(node: Node) -> Leaf:
    """How a node is written.

    Raises:
        ArchspecError: there is no rule for its op.
    """
    return RULES[node](node)
