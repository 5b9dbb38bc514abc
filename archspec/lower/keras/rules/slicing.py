"""Splits, slices, rolls and flips in Keras."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall
from archspec.lower.text.code_model import Constant, ListLiteral, function
from archspec.ops import slicing


@RULES.rule(slicing.Split)
def _split(op: slicing.Split, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    sizes = op.cuts(tensor)
    if len(sizes) == 1:
        return LayerCall()
    where: Constant = len(sizes) if len(set(sizes)) == 1 else ListLiteral(_ends(sizes)[:-1])
    numbers: dict[str, Constant] = {"where": where, "axis": op.normalized_axis(tensor)}
    return LayerCall((function("split", "ops.split({x}, {where}, axis={axis})", numbers),))


def _ends(sizes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(sizes[: i + 1]) for i in range(len(sizes)))


@RULES.rule(slicing.Slice)
def _slice(op: slicing.Slice, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    entries = op.entries(tensor)
    step = f":{entries.step}" if entries.step > 1 else ""
    return LayerCall(
        (function("get_item", f"{{x}}[{':, ' * op.normalized_axis(tensor)}{entries.start}:{entries.stop}{step}]"),)
    )


@RULES.rule(slicing.Roll)
def _roll(op: slicing.Roll, node: Node) -> LayerCall:
    shifts = op.shifts(node.inputs[0].type)
    return LayerCall(
        tuple(
            function("roll", "ops.roll({x}, {shift}, axis={axis})", {"shift": shift, "axis": axis})
            for axis, shift in shifts.items()
        )
    )


@RULES.rule(slicing.Flip)
def _flip(op: slicing.Flip, node: Node) -> LayerCall:
    axes: dict[str, Constant] = {"axes": ListLiteral(op.reversed_axes(node.inputs[0].type))}
    return LayerCall((function("flip", "ops.flip({x}, {axes})", axes),))
