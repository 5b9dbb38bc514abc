"""Dropout in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import CHANNELS_FIRST, RULES, LayerCall, layer, spatial_rank
from archspec.lower.text.code_model import Constant
from archspec.ops import dropout


@RULES.rule(dropout.Dropout)
def _dropout(op: dropout.Dropout, node: Node) -> LayerCall:
    if op.p == 0:
        return LayerCall()
    return LayerCall((layer("Dropout", {"rate": op.p}),))


@RULES.rule(dropout.SpatialDropout)
def _spatial_dropout(op: dropout.SpatialDropout, node: Node) -> LayerCall:
    d = spatial_rank(node)
    if op.p == 0:
        return LayerCall()
    if d == 1:  # SpatialDropout1D expects channels last
        return LayerCall((layer("Dropout", {"rate": op.p}, {"noise_shape": ((None, None, 1), None)}),))
    return LayerCall((layer(f"SpatialDropout{d}D", {"rate": op.p}, {"data_format": CHANNELS_FIRST}),))


@RULES.rule(dropout.StochasticDepth)
def _stochastic_depth(op: dropout.StochasticDepth, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    if op.p == 0:
        return LayerCall()
    shape: Constant = (None if op.mode == "row" else 1, *(1,) * len(tensor.sizes))
    return LayerCall((layer("Dropout", {"rate": op.p}, {"noise_shape": (shape, None)}),))
