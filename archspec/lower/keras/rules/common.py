"""The table of rules, and what rules of several families use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archspec.ir.graph import Node
from archspec.lower.keras.helper_classes import helper
from archspec.lower.rule_table import RuleTable, unsupported
from archspec.lower.text.code_model import Call, Constant, Options, function
from archspec.lower.text.code_model import call as written_call
from archspec.ops.geometry import Pads

FIRST: tuple[Constant, Constant] = ("channels_first", None)
"""The order of axes of every layer that has a choice: the spec's own."""


@dataclass(frozen=True, slots=True)
class WeightLayout:
    """How a layer holds a weight: brought to a shape, one entry of its first axis, the axes in another order."""

    weight: str
    axes: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None
    entry: int | None = None
    """Which entry of the first axis, where one weight of the spec is several of the layer."""

    def array(self, array: Any) -> Any:
        """An array of the weight as the layer holds it."""
        shaped = array if self.shape is None else array.reshape(self.shape)
        shaped = shaped if self.entry is None else shaped[self.entry]
        return shaped if self.axes is None else shaped.transpose(self.axes)

    def sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which the layer holds a weight of this shape."""
        sizes = shape if self.shape is None else self.shape
        sizes = sizes if self.entry is None else sizes[1:]
        return sizes if self.axes is None else tuple(sizes[axis] for axis in self.axes)


@dataclass(frozen=True, slots=True)
class LayerCall:
    """How an op is written: calls one after another, the first of them of the op's inputs; none hands the input on.

    A call without a template is a layer's construction, and the layer is called; one with a template is a function,
    whose callee is the name that Keras gives such an operation by itself. `holds` are the layer's weights in the order
    of its `set_weights`.
    """

    calls: tuple[Call, ...] = ()
    holds: tuple[WeightLayout, ...] = ()
    reads: int | None = None
    """How many of the op's inputs it reads, the first ones: of the others the sizes alone count, and are known."""
    given: str | None = None
    """What the layer is called with, where not with its one input or a list of all: `{0}, {2}` are two of them."""
    helpers: tuple[tuple[str, str], ...] = ()
    """Classes that the source defines for itself: their names and their text."""


RULES: RuleTable[Node, LayerCall] = RuleTable("Keras", "archspec/lower/keras/rules/")
"""The rules of this target: functions `(op, node)`. The modules beside this one register them."""


def cannot(node: Node, reason: str) -> Exception:
    """The error of a rule that has no words for its node."""
    return unsupported("Keras", node, reason)


def layer(kind: str, required: Mapping[str, Constant], optional: Options | None = None) -> Call:
    """The construction of a layer: arguments by position, then by name, each a value and its default."""
    return replace(written_call(f"layers.{kind}", required, optional or {}), roles=_ROLES)


_ROLES = {"filters": "out_channels", "units": "out_features"}


def own(
    kind: str,
    required: Mapping[str, Constant],
    optional: Options | None = None,
    holds: tuple[WeightLayout, ...] = (),
    reads: int | None = None,
) -> LayerCall:
    """An op written as a layer whose class the source defines, by its name in `helpers/`."""
    return LayerCall((written_call(kind, required, optional or {}),), holds, reads, helpers=(helper(kind),))


def padded(pads: Sequence[Pads], value: float = 0.0, *, before: int = 2) -> Call:
    """Rows put around the last axes; `before` axes stay as they are."""
    numbers: dict[str, Constant] = {}
    even = {rows for pad in pads for rows in pad}
    if len(even) == 1 and pads:
        numbers["padding"] = even.pop()
    widths = ["({padding}, {padding})" if numbers else str(pad) for pad in pads]
    around = f"({', '.join([*['(0, 0)'] * before, *widths])})"
    if abs(value) == float("inf"):
        return function("pad", f'ops.pad({{x}}, {around}, constant_values=float("{value}"))', numbers)
    if value == 0:
        return function("pad", f"ops.pad({{x}}, {around})", numbers)
    return function("pad", f"ops.pad({{x}}, {around}, constant_values={{value}})", {**numbers, "value": value})


def axes_of(node: Node) -> int:
    """The number of spatial axes of the first input."""
    return len(node.inputs[0].type.spatial)
