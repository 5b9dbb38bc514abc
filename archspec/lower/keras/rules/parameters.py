"""Ops that are mostly a parameter, in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer, layer
from archspec.lower.text.code_model import Constant
from archspec.ops import parameters
from archspec.ops.base import need_axis


@RULES.rule(parameters.LayerScale)
def _layer_scale(op: parameters.LayerScale, node: Node) -> LayerCall:
    axis = need_axis(op.kind, op.axis, node.inputs[0].type)
    return helper_layer("LayerScale", {}, {"axis": (axis, 1)}, (WeightLayout("weight"),))


@RULES.rule(parameters.ClassToken)
def _class_token(op: parameters.ClassToken, node: Node) -> LayerCall:
    return helper_layer("ClassToken", {}, weights=(WeightLayout("weight"),))


@RULES.rule(parameters.PositionEmbedding)
def _position_embedding(op: parameters.PositionEmbedding, node: Node) -> LayerCall:
    return helper_layer("PositionEmbedding", {}, weights=(WeightLayout("weight"),))


@RULES.rule(parameters.Parameter)
def _parameter(op: parameters.Parameter, node: Node) -> LayerCall:
    return helper_layer("Parameter", {"sizes": op.sizes}, weights=(WeightLayout("weight"),))


@RULES.rule(parameters.Embedding)
def _embedding(op: parameters.Embedding, node: Node) -> LayerCall:
    sizes: dict[str, Constant] = {"input_dim": op.entries, "output_dim": op.features}
    return LayerCall((layer("Embedding", sizes),), (WeightLayout("weight"),))
