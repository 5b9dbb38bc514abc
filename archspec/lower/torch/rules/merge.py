"""Merging several values into one in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from archspec.ir.graph import Node
from archspec.ir.types import DType
from archspec.lower.text.code_model import Constant, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import Op, merge

_FORMS: Mapping[type[Op], str] = {
    merge.Add: "{0} + {1}",
    merge.Sub: "{0} - {1}",
    merge.Mul: "{0} * {1}",
    merge.Div: "{0} / {1}",
    merge.Pow: "torch.pow({0}, {1})",
    merge.Min: "torch.minimum({0}, {1})",
    merge.Max: "torch.maximum({0}, {1})",
    merge.Equal: "torch.eq({0}, {1})",
    merge.NotEqual: "torch.ne({0}, {1})",
    merge.Greater: "torch.gt({0}, {1})",
    merge.GreaterEqual: "torch.ge({0}, {1})",
    merge.Less: "torch.lt({0}, {1})",
    merge.LessEqual: "torch.le({0}, {1})",
}
"""The text of an operation on two operands."""

_BOUNDS: Mapping[type[Op], str] = {
    merge.Min: "torch.clamp({x0}, max={number})",
    merge.Max: "torch.clamp({x0}, min={number})",
}
"""The operations that have another form with a number."""

_SHORT: Mapping[type[Op], str] = {merge.Add: "{sum}", merge.Mul: "{product}"}

_REDUCTIONS: Mapping[type[Op], str] = {
    merge.Add: "sum", merge.Mul: "prod", merge.Mean: "mean", merge.Min: "amin", merge.Max: "amax",
}  # fmt: skip
"""The reductions of a stack that do what an operation on values of equal shape does."""


@RULES.rule(*(op for op in _FORMS if issubclass(op, merge.Arithmetic)))
def _arithmetic(op: merge.Arithmetic, node: Node) -> ModuleCall:
    if op.number is not None:
        return _with_number(op)
    return _stacked(op, node) or _joined(op, node, _SHORT.get(type(op)))


@RULES.rule(merge.Mean)
def _mean(op: merge.Mean, node: Node) -> ModuleCall:
    total = "{sum}" if not op.crops else " + ".join(_operands(op, node))
    mean = function("mean", f"({total}) / {len(node.inputs)}")
    return _stacked(op, node) or ModuleCall(function=mean, helper=_CROP if op.crops else None)


@RULES.rule(*merge.COMPARISONS)
def _comparison(op: merge.Comparison, node: Node) -> ModuleCall:
    as_float = ".to({x0}.dtype)" if node.inputs[0].type.dtype is DType.FLOAT32 else ".float()"
    return _joined(op, node, suffix=as_float) if op.number is None else _with_number(op, as_float)


@RULES.rule(merge.Where)
def _where(op: merge.Where, node: Node) -> ModuleCall:
    number: dict[str, Constant] = {} if op.number is None else {"number": op.number}
    condition, *values = [*_operands(op, node), *("{number}" for _ in number)]
    chosen = function("torch.where", f"torch.where({condition} != 0, {', '.join(values)})", number)
    return ModuleCall(function=chosen, helper=_CROP if op.crops else None)


@RULES.rule(merge.Concat)
def _concat(op: merge.Concat, node: Node) -> ModuleCall:
    dim: dict[str, Constant] = {"dim": op.axis}
    if op.crops:
        concatenated = function("torch.cat", "torch.cat(crop_to_smallest([{all}]), dim={dim})", dim)
        return ModuleCall(function=concatenated, helper=_CROP)
    return ModuleCall(function=function("torch.cat", "torch.cat([{all}], dim={dim})", dim))


_CROP = ("crop_to_smallest", 0)
"""The function that crops values to their smallest size."""


def _callee(op: Op) -> str:
    """The name of the operation; those with the same name are written alike."""
    form = _FORMS[type(op)]
    return form.partition("(")[0] if "(" in form else form.split()[1]


def _operands(op: merge.Join, node: Node) -> Sequence[str]:
    """The placeholders of the inputs, or the text of their crops."""
    text = "crop_to_smallest([{{all}}])[{}]" if op.crops else "{{x{}}}"
    return [text.format(i) for i in range(len(node.inputs))]


def _joined(op: merge.Broadcast, node: Node, short: str | None = None, suffix: str = "") -> ModuleCall:
    """An operation on several values, one after another; `short` is its template for values that are not cropped."""
    template = short if short and not op.crops else reduce(_FORMS[type(op)].format, _operands(op, node))
    return ModuleCall(function=function(_callee(op), template + suffix), helper=_CROP if op.crops else None)


def _with_number(op: merge.Arithmetic | merge.Comparison, suffix: str = "") -> ModuleCall:
    """An operation on a value and a number."""
    form = _BOUNDS.get(type(op)) or _FORMS[type(op)].format("{x0}", "{number}")
    return ModuleCall(function=function(_callee(op), form + suffix, {"number": op.number}))


def _stacked(op: merge.Broadcast, node: Node) -> ModuleCall | None:
    """A reduction of a stack of the cropped values; None if they are not cropped, or differ in their channels."""
    if not op.crops or type(op) not in _REDUCTIONS or len({value.type.channels for value in node.inputs}) > 1:
        return None
    stacked = f"torch.stack(crop_to_smallest([{{all}}])).{_REDUCTIONS[type(op)]}(dim=0)"
    return ModuleCall(function=function("torch.stack", stacked), helper=_CROP)


@RULES.rule(merge.Stack)
def _stack(op: merge.Stack, node: Node) -> ModuleCall:
    dim: dict[str, Constant] = {"dim": op.added(node.inputs[0].type)}
    return ModuleCall(function=function("torch.stack", "torch.stack([{all}], dim={dim})", dim))
