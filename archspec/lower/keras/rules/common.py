"""The table of rules, and what the rules of several families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archspec.ir.graph import Node
from archspec.lower.keras.helper_classes import helper
from archspec.lower.rule_table import RuleTable, unsupported
from archspec.lower.text.code_model import Call, Constant, Options, function
from archspec.lower.text.code_model import call as new_call
from archspec.ops.geometry import Pads

CHANNELS_FIRST: tuple[Constant, Constant] = ("channels_first", None)
"""The value and the default of `data_format`, for every layer that takes one: the axis order of the spec."""


@dataclass(frozen=True, slots=True)
class WeightLayout:
    """How a Keras layer stores a weight of the spec: reshaped, one entry of its first axis, then transposed.

    Attributes:
        weight: the name of the weight.
        axes: the order of the axes in the layer, if another.
        shape: the shape before `entry` and `axes` apply, if another than the weight's.
        entry: the index into the first axis, if the layer stores the weight as several variables.
    """

    weight: str
    axes: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None
    entry: int | None = None

    def array(self, array: Any) -> Any:
        """An array of the weight as the layer stores it."""
        shaped = array if self.shape is None else array.reshape(self.shape)
        shaped = shaped if self.entry is None else shaped[self.entry]
        return shaped if self.axes is None else shaped.transpose(self.axes)

    def sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which the layer stores a weight of this shape."""
        sizes = shape if self.shape is None else self.shape
        sizes = sizes if self.entry is None else sizes[1:]
        return sizes if self.axes is None else tuple(sizes[axis] for axis in self.axes)


@dataclass(frozen=True, slots=True)
class LayerCall:
    """An op in Keras: calls that are applied one after another, the first to the op's inputs.

    A call without a template constructs a layer, which is then called. A call with a template is a function, and its
    callee is the name that Keras generates for such an operation. No calls means that the op returns its input.

    Attributes:
        calls: the calls.
        weights: the layouts of the layer's weights, in the order of its `set_weights`.
        inputs_read: how many of the op's inputs are read, counted from the first; all if None. Of the others only the
            sizes matter, and these are known.
        inputs_template: what the layer is called with, if not with its one input or a list of all: in `{0}, {2}`,
            the numbers are indices of inputs.
        helpers: the classes that the source must define: their names and their source text.
    """

    calls: tuple[Call, ...] = ()
    weights: tuple[WeightLayout, ...] = ()
    inputs_read: int | None = None
    inputs_template: str | None = None
    helpers: tuple[tuple[str, str], ...] = ()


RULES: RuleTable[Node, LayerCall] = RuleTable("Keras", "archspec/lower/keras/rules/")
"""The rules of this target: functions `(op, node)`. The modules beside this one register them."""


def cannot(node: Node, reason: str) -> Exception:
    """The error of a rule that cannot express its node in Keras."""
    return unsupported("Keras", node, reason)


def layer(kind: str, required: Mapping[str, Constant], optional: Options | None = None) -> Call:
    """The construction of a Keras layer: required arguments, then optional ones, each with its value and default."""
    return replace(new_call(f"layers.{kind}", required, optional or {}), roles=_ROLES)


_ROLES = {"filters": "out_channels", "units": "out_features"}


def helper_layer(
    kind: str,
    required: Mapping[str, Constant],
    optional: Options | None = None,
    weights: tuple[WeightLayout, ...] = (),
    inputs_read: int | None = None,
) -> LayerCall:
    """An op as a layer whose class the source defines, by its name in `helpers/`."""
    return LayerCall((new_call(kind, required, optional or {}),), weights, inputs_read, helpers=(helper(kind),))


def padded(pads: Sequence[Pads], value: float = 0.0, *, before: int = 2) -> Call:
    """A function that pads the last axes; the first `before` axes are not padded."""
    numbers: dict[str, Constant] = {}
    widths = {width for pad in pads for width in pad}
    if len(widths) == 1 and pads:
        numbers["padding"] = widths.pop()
    pairs = ["({padding}, {padding})" if numbers else str(pad) for pad in pads]
    all_pairs = f"({', '.join([*['(0, 0)'] * before, *pairs])})"
    if abs(value) == float("inf"):
        return function("pad", f'ops.pad({{x}}, {all_pairs}, constant_values=float("{value}"))', numbers)
    if value == 0:
        return function("pad", f"ops.pad({{x}}, {all_pairs})", numbers)
    return function("pad", f"ops.pad({{x}}, {all_pairs}, constant_values={{value}})", {**numbers, "value": value})


def repeated(pads: Sequence[Pads], mode: str) -> tuple[Call, tuple[tuple[str, str], ...]]:
    """A function that pads the spatial axes with rows of the input, and the class that the source defines for it."""
    numbers: dict[str, Constant] = {"widths": tuple(pads), "mode": mode}
    return function("edge_padding", "EdgePadding({widths}, {mode})({x})", numbers), (helper("EdgePadding"),)


def spatial_rank(node: Node) -> int:
    """The number of spatial axes of the first input."""
    return len(node.inputs[0].type.spatial)
