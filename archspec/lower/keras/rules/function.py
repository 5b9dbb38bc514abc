"""Functions of each element in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall
from archspec.lower.text.code_model import function
from archspec.ops.function import FUNCTIONS, ElementFunction

_NAMES = {"abs": "absolute", "neg": "negative"}
"""The functions that have another name in Keras."""


@RULES.rule(*FUNCTIONS)
def _function(op: ElementFunction, node: Node) -> LayerCall:
    name = _NAMES.get(op.kind, op.kind)
    return LayerCall((function(name, f"ops.{name}({{x}})"),))
