"""Ops that merge several values into one, in Keras."""

from __future__ import annotations

from collections.abc import Mapping

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, layer
from archspec.ops import merge

_MERGE_LAYERS: Mapping[type[ops.Op], str] = {
    merge.Add: "Add",
    merge.Mul: "Multiply",
    merge.Mean: "Average",
    merge.Max: "Maximum",
}


@RULES.rule(*_MERGE_LAYERS)
def _merge(op: ops.Op, node: Node) -> LayerCall:
    if len(node.inputs) == 1:
        return LayerCall()
    return LayerCall((layer(_MERGE_LAYERS[type(op)], {}),))


@RULES.rule(merge.Concat)
def _concat(op: merge.Concat, node: Node) -> LayerCall:
    return LayerCall((layer("Concatenate", {}, {"axis": (op.axis, -1)}),)) if len(node.inputs) > 1 else LayerCall()
