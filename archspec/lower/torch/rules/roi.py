"""Regions of interest: torch has no layers for them, so the source defines its own modules."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, helper_module
from archspec.ops import roi


@RULES.rule(roi.RoiAlign)
def _roi_align(op: roi.RoiAlign, node: Node) -> ModuleCall:
    optional = {"scale": (op.scale, 1.0), "samples": (op.samples, 2), "aligned": (op.aligned, False)}
    return helper_module("RoIAlign", {"size": op.sizes}, optional)


@RULES.rule(roi.RoiPool)
def _roi_pool(op: roi.RoiPool, node: Node) -> ModuleCall:
    return helper_module("RoIPool", {"size": op.sizes}, {"scale": (op.scale, 1.0)})
