"""Unpooling and regions of interest in Keras, which has nothing for them: the source defines layers of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import LayerCall, family, own
from archspec.ops import roi, unpool

RULES = family("region")


@RULES.rule(unpool.MaxUnpool)
def _max_unpool(node: Node) -> LayerCall:
    return own("MaxUnpooling", {"size": node.outputs[0].type.spatial}, reads=2)


@RULES.rule(roi.RoiAlign)
def _roi_align(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, roi.RoiAlign)
    numbers = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, numbers)


@RULES.rule(roi.RoiPool)
def _roi_pool(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, roi.RoiPool)
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
