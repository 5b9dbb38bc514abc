"""Reductions and sums along axes in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall
from archspec.lower.text.code_model import Constant, function
from archspec.ops import reduce

_NAMES = {
    reduce.ReduceMean: "mean",
    reduce.ReduceSum: "sum",
    reduce.ReduceProd: "prod",
    reduce.ReduceMax: "max",
    reduce.ReduceMin: "min",
    reduce.ReduceVar: "var",
    reduce.ReduceStd: "std",
}


@RULES.rule(*_NAMES)
def _reduction(op: reduce.Reduction, node: Node) -> LayerCall:
    return _along(_NAMES[type(op)], op.axis, keepdim=op.keepdim)


@RULES.rule(reduce.ArgMax)
def _argmax(op: reduce.ArgMax, node: Node) -> LayerCall:
    return _along("argmax", op.axis, keepdim=op.keepdim)


def _along(name: str, axis: Constant, *, keepdim: bool) -> LayerCall:
    keep = ", keepdims=True" if keepdim else ""
    return LayerCall((function(name, f"ops.{name}({{x}}, axis={{axis}}{keep})", {"axis": axis}),))


@RULES.rule(reduce.ReduceL2)
def _length(op: reduce.Reduction, node: Node) -> LayerCall:
    axis: dict[str, Constant] = {"axis": op.axis}
    keep = ", keepdims=True" if op.keepdim else ""
    template = f"ops.sqrt(ops.sum(ops.square({{x}}), axis={{axis}}{keep}))"
    return LayerCall((function("(square|sum|sqrt)", template, axis),))


@RULES.rule(reduce.CumSum)
def _cumsum(op: reduce.CumSum, node: Node) -> LayerCall:
    return LayerCall((function("cumsum", "ops.cumsum({x}, axis={axis})", {"axis": op.axis}),))
