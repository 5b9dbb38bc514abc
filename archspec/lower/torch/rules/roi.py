"""Regions of interest in PyTorch, which has nothing for them itself: the source defines modules of its own."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, own
from archspec.ops import roi


@RULES.rule(roi.RoiAlign)
def _roi_align(op: roi.RoiAlign, node: Node) -> ModuleCall:
    optional = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return own("RoIAlign", {"size": op.sizes}, optional)


@RULES.rule(roi.RoiPool)
def _roi_pool(op: roi.RoiPool, node: Node) -> ModuleCall:
    return own("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
