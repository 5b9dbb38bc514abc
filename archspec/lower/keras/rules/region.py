"""Unpooling and regions of interest in Keras, which has nothing for them: the source defines layers of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import Written, family, own
from archspec.ops import region, unpool

RULES = family("region")


@RULES.rule(unpool.MaxUnpool)
def _max_unpool(node: Node) -> Written:
    return own("MaxUnpooling", {"size": node.outputs[0].type.spatial}, reads=2)


@RULES.rule(region.RoiAlign)
def _roi_align(node: Node) -> Written:
    op = node.op
    assert isinstance(op, region.RoiAlign)
    numbers = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, numbers)


@RULES.rule(region.RoiPool)
def _roi_pool(node: Node) -> Written:
    op = node.op
    assert isinstance(op, region.RoiPool)
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
