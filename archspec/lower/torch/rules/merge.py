"""Merging several values into one in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import merge


@RULES.rule(merge.Add)
def _add(op: merge.Add, node: Node) -> ModuleCall:
    if op.crops:
        return _cropped("sum(dim=0)")
    return ModuleCall(function=function("+", "{sum}"), checked=_stacked("sum(dim=0)"))


@RULES.rule(merge.Mul)
def _mul(op: merge.Mul, node: Node) -> ModuleCall:
    if not op.crops:
        return ModuleCall(function=function("*", "{product}"))
    if len({value.type.channels for value in node.inputs}) == 1:
        return _cropped("prod(dim=0)")
    factors = " * ".join(f"crop_to_smallest([{{all}}])[{i}]" for i in range(len(node.inputs)))
    return ModuleCall(function=function("*", factors), helper=("crop_to_smallest", 0))


@RULES.rule(merge.Mean)
def _mean(op: merge.Mean, node: Node) -> ModuleCall:
    if op.crops:
        return _cropped("mean(dim=0)")
    mean = function("mean", f"({{sum}}) / {len(node.inputs)}")
    return ModuleCall(function=mean, checked=_stacked("mean(dim=0)"))


@RULES.rule(merge.Max)
def _max(op: merge.Max, node: Node) -> ModuleCall:
    if op.crops:
        return _cropped("amax(dim=0)")
    if len(node.inputs) == 2:
        maximum = function("torch.maximum", "torch.maximum({all})")
        return ModuleCall(function=maximum, checked=_stacked("amax(dim=0)"))
    return _stacked("amax(dim=0)")


@RULES.rule(merge.Concat)
def _concat(op: merge.Concat, node: Node) -> ModuleCall:
    dim: dict[str, Constant] = {"dim": op.axis}
    if op.crops:
        concatenated = function("torch.cat", "torch.cat(crop_to_smallest([{all}]), dim={dim})", dim)
        return ModuleCall(function=concatenated, helper=("crop_to_smallest", 0))
    return ModuleCall(function=function("torch.cat", "torch.cat([{all}], dim={dim})", dim))


def _stacked(reduction: str) -> ModuleCall:
    """An elementwise join as a reduction of a stack, which refuses unequal sizes."""
    return ModuleCall(function=function("torch.stack", f"torch.stack([{{all}}]).{reduction}"))


def _cropped(reduction: str) -> ModuleCall:
    """An elementwise join of values that are cropped first: a reduction of their stack."""
    stacked = function("torch.stack", f"torch.stack(crop_to_smallest([{{all}}])).{reduction}")
    return ModuleCall(function=stacked, helper=("crop_to_smallest", 0))
