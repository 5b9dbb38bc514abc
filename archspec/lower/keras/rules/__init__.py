"""The rules: how each op is written in Keras, a file a family."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules import affine, attention, conv, joins, layout, learned, pointwise, pool, region, shuffle
from archspec.lower.keras.rules.common import Rule, Written
from archspec.lower.rules import Rules

RULES: Rules[Rule] = Rules("Keras", "archspec/lower/keras/rules/")
for _family in (conv, pool, region, affine, attention, learned, pointwise, joins, layout, shuffle):
    RULES.include(_family.RULES)


def written(node: Node) -> Written:
    """How a node is written.

    Raises:
        ArchspecError: there is no rule for its op, or Keras cannot express what it asks for.
    """
    return RULES[node](node)
