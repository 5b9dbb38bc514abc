"""Ops that make one value of several, and reductions, in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import Written, family, layer
from archspec.lower.text.calls import Constant, function
from archspec.ops import join, reduce

RULES = family("joins")

_JOINS = {join.Add: "Add", join.Mul: "Multiply", join.Mean: "Average", join.Max: "Maximum"}


@RULES.rule(*_JOINS)
def _join(node: Node) -> Written:
    if len(node.inputs) == 1:
        return Written()
    return Written((layer(_JOINS[type(node.op)], {}),))  # type: ignore[index]  # rules are entered by op class


@RULES.rule(join.Concat)
def _concat(node: Node) -> Written:
    op = node.op
    assert isinstance(op, join.Concat)
    return Written((layer("Concatenate", {}, {"axis": (op.axis, -1)}),)) if len(node.inputs) > 1 else Written()


_REDUCTIONS = {reduce.ReduceMean: "mean", reduce.ReduceSum: "sum", reduce.ReduceMax: "max"}


@RULES.rule(*_REDUCTIONS)
def _reduction(node: Node) -> Written:
    op = node.op
    assert isinstance(op, reduce.ReduceMean | reduce.ReduceSum | reduce.ReduceMax)
    name = _REDUCTIONS[type(op)]
    keep = ", keepdims=True" if op.keepdim else ""
    axis: Constant = op.axis
    return Written((function(name, f"ops.{name}({{x}}, axis={{axis}}{keep})", {"axis": axis}),))
