"""Max unpooling in Keras, by a layer that the source defines."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, helper_layer
from archspec.ops import unpool


@RULES.rule(unpool.MaxUnpool)
def _max_unpool(op: unpool.MaxUnpool, node: Node) -> LayerCall:
    return helper_layer("MaxUnpooling", {"size": node.outputs[0].type.spatial}, inputs_read=2)
