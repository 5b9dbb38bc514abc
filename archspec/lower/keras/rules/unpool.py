"""Max unpooling in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, own
from archspec.ops import unpool


@RULES.rule(unpool.MaxUnpool)
def _max_unpool(op: unpool.MaxUnpool, node: Node) -> LayerCall:
    return own("MaxUnpooling", {"size": node.outputs[0].type.spatial}, reads=2)
