"""Regions of interest in PyTorch, which has nothing for them itself: the source defines modules of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import family, own
from archspec.ops import roi

RULES = family("region")


@RULES.rule(roi.RoiAlign)
def _roi_align(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, roi.RoiAlign)
    optional = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, optional)


@RULES.rule(roi.RoiPool)
def _roi_pool(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, roi.RoiPool)
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
