"""Unpooling and regions of interest in Keras, which has nothing for them: the source defines layers of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, own
from archspec.ops import roi


@RULES.rule(roi.RoiAlign)
def _roi_align(op: roi.RoiAlign, node: Node) -> LayerCall:
    numbers = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, numbers)


@RULES.rule(roi.RoiPool)
def _roi_pool(op: roi.RoiPool, node: Node) -> LayerCall:
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
