"""Reductions in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Options, call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import reduce

_CALLEES = {reduce.ReduceMean: "torch.mean", reduce.ReduceSum: "torch.sum", reduce.ReduceMax: "torch.amax"}


@RULES.rule(reduce.ReduceMean, reduce.ReduceSum, reduce.ReduceMax)
def _reduction(op: reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax, node: Node) -> ModuleCall:
    optional: Options = {"dim": (op.axis, None), "keepdim": (op.keepdim, False)}
    return ModuleCall(function=call(_CALLEES[type(op)], {}, optional))
