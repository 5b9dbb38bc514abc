"""Reductions in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.calls import Constant, call
from archspec.lower.torch.leaf import Leaf
from archspec.lower.torch.rules.common import family
from archspec.ops import reduce

RULES = family("reduce")


@RULES.rule(reduce.ReduceMean)
def _mean(node: Node) -> Leaf:
    return _reduction(node, "torch.mean")


@RULES.rule(reduce.ReduceSum)
def _sum(node: Node) -> Leaf:
    return _reduction(node, "torch.sum")


@RULES.rule(reduce.ReduceMax)
def _max(node: Node) -> Leaf:
    return _reduction(node, "torch.amax")


def _reduction(node: Node, callee: str) -> Leaf:
    op = node.op
    assert isinstance(op, reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax)
    optional: dict[str, tuple[Constant, Constant]] = {"dim": (op.axis, None), "keepdim": (op.keepdim, False)}
    return Leaf(function=call(callee, {}, optional))
