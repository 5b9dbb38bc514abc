"""Reductions in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall
from archspec.lower.text.code_model import Constant, function
from archspec.ops import reduce

_REDUCTIONS = {reduce.ReduceMean: "mean", reduce.ReduceSum: "sum", reduce.ReduceMax: "max"}


@RULES.rule(reduce.ReduceMean, reduce.ReduceSum, reduce.ReduceMax)
def _reduction(op: reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax, node: Node) -> LayerCall:
    name = _REDUCTIONS[type(op)]
    keep = ", keepdims=True" if op.keepdim else ""
    axis: Constant = op.axis
    return LayerCall((function(name, f"ops.{name}({{x}}, axis={{axis}}{keep})", {"axis": axis}),))
