"""Regions of interest in PyTorch, which has nothing for them itself: the source defines modules of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.torch.leaf import Leaf
from archspec.lower.torch.rules.common import family, own
from archspec.ops import region

RULES = family("region")


@RULES.rule(region.RoiAlign)
def _roi_align(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, region.RoiAlign)
    optional = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, optional)


@RULES.rule(region.RoiPool)
def _roi_pool(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, region.RoiPool)
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
