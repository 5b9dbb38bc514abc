"""Parameters that stand in a network by themselves, in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import Held, Written, family, layer, own
from archspec.lower.text.calls import Constant
from archspec.ops import learned
from archspec.ops.base import need_axis

RULES = family("learned")


@RULES.rule(learned.LayerScale)
def _layer_scale(node: Node) -> Written:
    op = node.op
    assert isinstance(op, learned.LayerScale)
    axis = need_axis(op.kind, op.axis, node.inputs[0].type)
    return own("LayerScale", {}, {"axis": (axis, 1)}, (Held("weight"),))


@RULES.rule(learned.ClassToken)
def _class_token(node: Node) -> Written:
    return own("ClassToken", {}, holds=(Held("weight"),))


@RULES.rule(learned.PositionEmbedding)
def _position_embedding(node: Node) -> Written:
    return own("PositionEmbedding", {}, holds=(Held("weight"),))


@RULES.rule(learned.Embedding)
def _embedding(node: Node) -> Written:
    op = node.op
    assert isinstance(op, learned.Embedding)
    sizes: dict[str, Constant] = {"input_dim": op.entries, "output_dim": op.features}
    return Written((layer("Embedding", sizes),), (Held("weight"),))
