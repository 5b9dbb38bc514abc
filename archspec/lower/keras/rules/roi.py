"""Pooling of regions of interest in Keras, by layers that the source defines."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, helper_layer
from archspec.ops import roi


@RULES.rule(roi.RoiAlign)
def _roi_align(op: roi.RoiAlign, node: Node) -> LayerCall:
    numbers = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return helper_layer("RoIAlign", {"size": op.sizes}, numbers)


@RULES.rule(roi.RoiPool)
def _roi_pool(op: roi.RoiPool, node: Node) -> LayerCall:
    return helper_layer("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
