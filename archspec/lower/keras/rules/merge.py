"""Ops that make one value of several, and reductions, in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import LayerCall, family, layer
from archspec.lower.text.code_model import Constant, function
from archspec.ops import merge, reduce

RULES = family("joins")

_JOINS = {merge.Add: "Add", merge.Mul: "Multiply", merge.Mean: "Average", merge.Max: "Maximum"}


@RULES.rule(*_JOINS)
def _join(node: Node) -> LayerCall:
    if len(node.inputs) == 1:
        return LayerCall()
    return LayerCall((layer(_JOINS[type(node.op)], {}),))  # type: ignore[index]  # rules are entered by op class


@RULES.rule(merge.Concat)
def _concat(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, merge.Concat)
    return LayerCall((layer("Concatenate", {}, {"axis": (op.axis, -1)}),)) if len(node.inputs) > 1 else LayerCall()


_REDUCTIONS = {reduce.ReduceMean: "mean", reduce.ReduceSum: "sum", reduce.ReduceMax: "max"}


@RULES.rule(*_REDUCTIONS)
def _reduction(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax)
    name = _REDUCTIONS[type(op)]
    keep = ", keepdims=True" if op.keepdim else ""
    axis: Constant = op.axis
    return LayerCall((function(name, f"ops.{name}({{x}}, axis={{axis}}{keep})", {"axis": axis}),))
