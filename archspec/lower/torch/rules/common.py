"""The table of rules, and functions that rules of several families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.rule_table import RuleTable
from archspec.lower.text.code_model import Call, Constant, Options, call, function, same
from archspec.lower.torch.helper_classes import class_name
from archspec.lower.torch.module_call import ModuleCall
from archspec.ops import Op
from archspec.ops.geometry import Pads, same_pads_at_any_size
from archspec.ops.sliding import Sliding

RULES: RuleTable[Node, ModuleCall] = RuleTable("PyTorch", "archspec/lower/torch/rules/")
"""The rules of this target: functions `(op, node)`. The modules beside this one register them."""


SHARED_RULES: RuleTable[Node, ModuleCall] = RuleTable("PyTorch", "archspec/lower/torch/rules/")
"""The rules for layers that share the weights of a module with other attributes: functions of its weights."""


def with_shared_weights(node: Node, call: ModuleCall, owner: ModuleCall) -> ModuleCall | None:
    """How a layer is written that shares its weights with another; None if it cannot be.

    Args:
        node: the layer.
        call: how it would be written with weights of its own.
        owner: how the other layer is written.
    """
    if call.module == owner.module:
        return call
    assert isinstance(node.op, Op)
    return SHARED_RULES.apply(node, node) if type(node.op) in SHARED_RULES else None


def both(module: Call, function: str) -> ModuleCall:
    """An op that is the same call as a module and as a function."""
    return ModuleCall(replace(module, stateless=True), module.renamed(function))


def helper_module(
    kind: str,
    required: Mapping[str, Constant],
    optional: Options | None = None,
    *,
    axes: int = 0,
) -> ModuleCall:
    """An op written as a module whose class the source defines: `kind` is its name in `helpers/` without `2d`."""
    return ModuleCall(call(class_name(kind, axes), required, optional or {}), helper=(kind, axes))


def of_weights(
    callee: str,
    weights: Sequence[str],
    optional: Options | None = None,
    *,
    x: str = "{x}",
    more: Mapping[str, Constant] | None = None,
    by_name: bool = False,
) -> Call:
    """A function of its input and of weights of another module, which `{weight}` stands for in templates.

    Args:
        callee: the function.
        weights: the attributes of the module that follow the input.
        optional: arguments after the weights, with their defaults.
        x: the template of the input.
        more: the arguments in this template.
        by_name: whether the weights are passed by name.
    """
    given = {name: value for name, (value, default) in (optional or {}).items() if value != default}
    read = [f"{name}={{weight}}.{name}" if by_name else f"{{weight}}.{name}" for name in weights]
    arguments = [x, *read, *(f"{name}={{{name}}}" for name in given)]
    return function(callee, f"{callee}({', '.join(arguments)})", {**(more or {}), **given})


def axes_of(node: Node) -> int:
    """The number of spatial axes of the first input."""
    return len(node.inputs[0].type.spatial)


def same_pads(window: Sliding) -> tuple[Pads, ...] | None:
    """The padding of each axis that keeps the meaning of `same` at every input size; None if there is none."""
    axes = zip(window.kernel, window.stride, window.dilation, strict=True)
    pads = [same_pads_at_any_size(*axis) for axis in axes]
    return None if None in pads else tuple(pad for pad in pads if pad is not None)


def even(window: Sliding) -> Constant:
    """Symmetric padding as an argument of a layer: the rows on one side."""
    return same([before for before, _ in window.pads])


def flat(pads: Sequence[Pads]) -> tuple[int, ...]:
    """Padding as an argument of `F.pad`: before and after, the last axis first."""
    return tuple(rows for pad in reversed(pads) for rows in pad)
