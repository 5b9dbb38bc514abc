"""Slicing, splitting, rolling and flipping in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, ListLiteral, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import slicing


@RULES.rule(slicing.Split)
def _split(op: slicing.Split, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    cuts = op.cuts(tensor)
    if len(cuts) == 1:
        return ModuleCall(function=function("identity", "{x}"))
    if len(set(cuts)) == 1:
        numbers: dict[str, Constant] = {"parts": len(cuts), "dim": op.axis}
        equal = function("split", "{x}.unflatten({dim}, ({parts}, -1)).unbind({dim})", numbers)
        equal = equal if op.axis > 0 else replace(equal, arguments={**numbers, "dim": op.normalized_axis(tensor)})
        chunk = function("chunk", "{x}.chunk({parts}, dim={dim})", numbers)
        return ModuleCall(function=chunk, checked=ModuleCall(function=equal))
    return ModuleCall(
        function=function("split", "{x}.split({sizes}, dim={dim})", {"sizes": ListLiteral(cuts), "dim": op.axis})
    )


@RULES.rule(slicing.Slice)
def _slice(op: slicing.Slice, node: Node) -> ModuleCall:
    bounds: dict[str, Constant] = {
        name: value
        for name, value in {"start": op.start, "end": op.end, "step": op.step}.items()
        if value is not None and (name, value) not in (("start", 0), ("step", 1))
    }
    start, end, step = (f"{{{name}}}" if name in bounds else "" for name in ("start", "end", "step"))
    before = ":, " * op.normalized_axis(node.inputs[0].type)
    bounds_text = f"{start}:{end}" + (f":{step}" if step else "")
    taken = function("slice", f"{{x}}[{before}{bounds_text}]", bounds)
    return ModuleCall(function=taken, checked=_narrow(op, op.normalized_axis(node.inputs[0].type)))


def _narrow(op: slicing.Slice, axis: int) -> ModuleCall | None:
    """The slice as a `narrow`, which refuses bounds beyond the axis; None if such bounds give an empty slice."""
    start, end = op.start, op.end
    if start >= 0 and (end is None or end < 0):
        return None
    if start < 0 < (end or 0):
        length = "{x}.shape[{axis}]"
        text = (
            f"{{x}}.narrow({{axis}}, 0, {{end}}).narrow({{axis}}, {length} + {{start}}, {{end}} - {{start}} - {length})"
        )
        numbers: dict[str, Constant] = {"axis": axis, "start": start, "end": end}
    else:
        text = "{x}.narrow({axis}, {start}, {count})"
        numbers = {"axis": axis, "start": start, "count": (end or 0) - start}
    if op.step > 1:
        text, numbers = f"{text}[{':, ' * axis}::{{step}}]", {**numbers, "step": op.step}
    return ModuleCall(function=function("slice", text, numbers))


@RULES.rule(slicing.Roll)
def _roll(op: slicing.Roll, node: Node) -> ModuleCall:
    shifts = op.shifts(node.inputs[0].type)
    numbers, axes = tuple(shifts.values()), tuple(shifts)
    if len(axes) == 1:
        return ModuleCall(function=call("torch.roll", {}, {"shifts": (numbers[0], None), "dims": (axes[0], None)}))
    return ModuleCall(function=call("torch.roll", {}, {"shifts": (numbers, None), "dims": (axes, None)}))


@RULES.rule(slicing.Flip)
def _flip(op: slicing.Flip, node: Node) -> ModuleCall:
    axes: dict[str, Constant] = {"axes": ListLiteral(op.reversed_axes(node.inputs[0].type))}
    return ModuleCall(function=function("flip", "{x}.flip({axes})", axes))
