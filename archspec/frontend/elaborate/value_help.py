"""The help for values of the wrong type: numbers that are not whole, axes counted from 0, sizes of inputs."""

from __future__ import annotations

from archspec.frontend.expressions.values import Data, show, spell, whole
from archspec.frontend.language.fields import ConstantField, ExpressionField, Field
from archspec.frontend.language.steps import without_value
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of
from archspec.ops.norm import LayerNorm
from archspec.ops.reshape import Permute

_COUNTS = ("channels", "features")


def value_help(op: type[Op], name: str, value: Data, field: Field | None) -> str | None:
    """The help for a value that is not a text and that an attribute does not take.

    Args:
        op: the op.
        name: the attribute.
        value: its value.
        field: the value as the spec has it, if it has one.
    """
    known = attributes_of(op)
    if value is None:
        return without_value(op, name)
    if name == "scale" and "size" in known and _is_fractional(value):
        return "a factor is whole; for others, give the size: size: [height, width]"
    if isinstance(value, float) and _is_fractional(value) and "whole number" in known[name].phrase:
        return rounding_help(value, field, multiple=name in _COUNTS)
    if isinstance(value, int | float) and not isinstance(value, bool) and known[name].phrase.startswith("a list"):
        return f"write a list: [{spell(value)}]"
    if isinstance(value, tuple) and None in value:
        return "a size of the input is in.spatial[0], in.spatial[1], ..."
    if op is LayerNorm and name == "axes":
        count = len(value) if isinstance(value, tuple) else 1
        return f"'axes' is how many axes are normalized, counted from the last: write {count}"
    if op is Permute and isinstance(value, tuple):
        return _order_help(value)
    if isinstance(field, ConstantField) and isinstance(value, tuple) and len(value) == 2 and name in _COUNTS:
        return f"write the {name} of the output alone, {show(value[1])}; those of the input are inferred"
    return None


def rounding_help(value: float, field: Field | None, *, multiple: bool = False) -> str:
    """How to make a number whole; `multiple` suggests multiples of 8, too."""
    if not isinstance(field, ExpressionField):
        return f"round it: {int(value + 0.5)}"
    text = field.scalar.text
    return f"write round({text})" + (f", or divisible({text}, 8) for a multiple of 8" if multiple else "")


def _is_fractional(value: Data) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return any(isinstance(item, float) and whole(item) is None for item in items)


def _order_help(order: tuple[Data, ...]) -> str | None:
    """The help for an order of axes that has the batch axis, or counts from 0."""
    axes = [whole(axis) for axis in order]
    if sorted(axis for axis in axes if axis is not None) != list(range(len(axes))):
        return None
    listed = axes[1:] if axes[0] == 0 else [axis + 1 for axis in axes if axis is not None]
    return f"axes count from 1, the channels; the batch axis stays first and is not listed: {show(tuple(listed))}"
