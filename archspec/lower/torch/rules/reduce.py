"""Reductions and sums along axes in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Options, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import reduce

_CALLEES = {
    reduce.ReduceMean: "torch.mean",
    reduce.ReduceSum: "torch.sum",
    reduce.ReduceProd: "torch.prod",
    reduce.ReduceMax: "torch.amax",
    reduce.ReduceMin: "torch.amin",
    reduce.ReduceL2: "torch.linalg.vector_norm",
    reduce.ReduceVar: "torch.var",
    reduce.ReduceStd: "torch.std",
}


@RULES.rule(*_CALLEES)
def _reduction(op: reduce.Reduction, node: Node) -> ModuleCall:
    if isinstance(op, reduce.ReduceProd) and isinstance(op.axis, tuple):
        return _product(op, node)
    optional: Options = {"dim": (op.axis, None), "keepdim": (op.keepdim, False)}
    if isinstance(op, (reduce.ReduceVar, reduce.ReduceStd)):
        optional = {"dim": (op.axis, None), "correction": (0, 1), "keepdim": (op.keepdim, False)}
    return ModuleCall(function=call(_CALLEES[type(op)], {}, optional))


def _product(op: reduce.Reduction, node: Node) -> ModuleCall:
    """The products over several axes, the last first: `torch.prod` takes one axis."""
    text = "{x}"
    for axis in reversed(op.normalized_axes(node.inputs[0].type)):
        text = f"torch.prod({text}, dim={axis}{', keepdim=True' if op.keepdim else ''})"
    return ModuleCall(function=function("torch.prod", text))


@RULES.rule(reduce.ArgMax)
def _argmax(op: reduce.ArgMax, node: Node) -> ModuleCall:
    return ModuleCall(function=call("torch.argmax", {}, {"dim": (op.axis, None), "keepdim": (op.keepdim, False)}))


@RULES.rule(reduce.CumSum)
def _cumsum(op: reduce.CumSum, node: Node) -> ModuleCall:
    return ModuleCall(function=call("torch.cumsum", {}, {"dim": (op.axis, None)}))
