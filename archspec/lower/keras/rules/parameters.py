"""Parameters that stand in a network by themselves, in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import LayerCall, WeightLayout, family, layer, own
from archspec.lower.text.code_model import Constant
from archspec.ops import parameters
from archspec.ops.base import need_axis

RULES = family("learned")


@RULES.rule(parameters.LayerScale)
def _layer_scale(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, parameters.LayerScale)
    axis = need_axis(op.kind, op.axis, node.inputs[0].type)
    return own("LayerScale", {}, {"axis": (axis, 1)}, (WeightLayout("weight"),))


@RULES.rule(parameters.ClassToken)
def _class_token(node: Node) -> LayerCall:
    return own("ClassToken", {}, holds=(WeightLayout("weight"),))


@RULES.rule(parameters.PositionEmbedding)
def _position_embedding(node: Node) -> LayerCall:
    return own("PositionEmbedding", {}, holds=(WeightLayout("weight"),))


@RULES.rule(parameters.Embedding)
def _embedding(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, parameters.Embedding)
    sizes: dict[str, Constant] = {"input_dim": op.entries, "output_dim": op.features}
    return LayerCall((layer("Embedding", sizes),), (WeightLayout("weight"),))
