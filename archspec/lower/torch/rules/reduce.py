"""Reductions in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Options, call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import family
from archspec.ops import reduce

RULES = family("reduce")


_CALLEES = {reduce.ReduceMean: "torch.mean", reduce.ReduceSum: "torch.sum", reduce.ReduceMax: "torch.amax"}


@RULES.rule(*_CALLEES)
def _reduction(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax)
    optional: Options = {"dim": (op.axis, None), "keepdim": (op.keepdim, False)}
    return ModuleCall(function=call(_CALLEES[type(op)], {}, optional))
