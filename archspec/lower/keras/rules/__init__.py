"""The rules: how each op is written in Keras, a file a family."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules import activation, attention, conv, merge, norm, parameters, pool, reshape, roi, shuffle
from archspec.lower.keras.rules.common import LayerCall, Rule
from archspec.lower.rule_table import Rules

RULES: Rules[Rule] = Rules("Keras", "archspec/lower/keras/rules/")
for _family in (conv, pool, roi, norm, attention, parameters, activation, merge, reshape, shuffle):
    RULES.include(_family.RULES)


def written(node: Node) -> LayerCall:
    """How a node is written.

    Raises:
        ArchspecError: there is no rule for its op, or Keras cannot express what it asks for.
    """
    return RULES[node](node)
