"""Ops that merge several values into one, in Keras."""

from __future__ import annotations

from collections.abc import Mapping

from archspec import ops
from archspec.ir.graph import Node
from archspec.ir.types import DType
from archspec.lower.keras.rules.common import RULES, LayerCall, layer
from archspec.lower.text.code_model import Constant, function
from archspec.ops import merge

_MERGE_LAYERS: Mapping[type[ops.Op], str] = {
    merge.Add: "Add",
    merge.Sub: "Subtract",
    merge.Mul: "Multiply",
    merge.Mean: "Average",
    merge.Min: "Minimum",
    merge.Max: "Maximum",
}

_FUNCTIONS: Mapping[type[ops.Op], tuple[str, str]] = {
    merge.Add: ("add", "{x} + {number}"),
    merge.Sub: ("subtract", "{x} - {number}"),
    merge.Mul: ("multiply", "{x} * {number}"),
    merge.Div: ("divide", "{x} / {number}"),
    merge.Pow: ("power", "{x} ** {number}"),
    merge.Min: ("minimum", "ops.minimum({x}, {number})"),
    merge.Max: ("maximum", "ops.maximum({x}, {number})"),
}
"""The function of each operation, and its form with a number."""


@RULES.rule(*_FUNCTIONS, merge.Mean)
def _merge(op: ops.Op, node: Node) -> LayerCall:
    assert isinstance(op, merge.Join)
    if op.returns_its_input(len(node.inputs)):
        return LayerCall()
    if len(node.inputs) > 1 and type(op) in _MERGE_LAYERS:
        return LayerCall((layer(_MERGE_LAYERS[type(op)], {}),))
    name, with_number = _FUNCTIONS[type(op)]
    if isinstance(op, merge.Arithmetic) and op.number is not None:
        name = "true_divide" if type(op) is merge.Div else name  # what Keras calls the operator
        return LayerCall((function(name, with_number, {"number": op.number}),))
    return LayerCall((function(name, f"ops.{name}({{all}})"),))


@RULES.rule(*merge.COMPARISONS)
def _comparison(op: merge.Comparison, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {} if op.number is None else {"number": op.number}
    if op.number is not None and node.inputs[0].type.dtype is DType.INT64:
        numbers = {"number": int(op.number)}
    compared = f"ops.{op.kind}({{all}}{', {number}' if numbers else ''})"
    return LayerCall((function(f"({op.kind}|where)", f"ops.where({compared}, 1.0, 0.0)", numbers),))


@RULES.rule(merge.Where)
def _where(op: merge.Where, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {} if op.number is None else {"number": op.number}
    last = "{x2}" if op.number is None else "{number}"
    return LayerCall((function("(not_equal|where)", f"ops.where({{x0}} != 0, {{x1}}, {last})", numbers),))


@RULES.rule(merge.Concat)
def _concat(op: merge.Concat, node: Node) -> LayerCall:
    return LayerCall((layer("Concatenate", {}, {"axis": (op.axis, -1)}),)) if len(node.inputs) > 1 else LayerCall()


@RULES.rule(merge.Stack)
def _stack(op: merge.Stack, node: Node) -> LayerCall:
    axis: dict[str, Constant] = {"axis": op.added(node.inputs[0].type)}
    return LayerCall((function("stack", "ops.stack([{all}], axis={axis})", axis),))
