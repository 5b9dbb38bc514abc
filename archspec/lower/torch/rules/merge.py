"""Merging several values into one in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import merge


@RULES.rule(merge.Add)
def _add(op: merge.Add, node: Node) -> ModuleCall:
    return ModuleCall(function=function("+", "{sum}"))


@RULES.rule(merge.Mul)
def _mul(op: merge.Mul, node: Node) -> ModuleCall:
    return ModuleCall(function=function("*", "{product}"))


@RULES.rule(merge.Mean)
def _mean(op: merge.Mean, node: Node) -> ModuleCall:
    return ModuleCall(function=function("mean", f"({{sum}}) / {len(node.inputs)}"))


@RULES.rule(merge.Max)
def _max(op: merge.Max, node: Node) -> ModuleCall:
    if len(node.inputs) == 2:
        return ModuleCall(function=function("torch.maximum", "torch.maximum({all})"))
    return ModuleCall(function=function("torch.amax", "torch.stack([{all}]).amax(dim=0)"))


@RULES.rule(merge.Concat)
def _concat(op: merge.Concat, node: Node) -> ModuleCall:
    return ModuleCall(function=function("torch.cat", "torch.cat([{all}], dim={dim})", {"dim": op.axis}))
