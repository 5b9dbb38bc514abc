"""Numbers that a spec lists for a weight, in the axis order in which a Keras layer stores the weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from archspec.lower.keras.rules.common import WeightLayout
from archspec.lower.text.code_model import Constant


def nested_values(values: Constant, shape: Sequence[int], layout: WeightLayout) -> Constant:
    """The values of a weight, nested as the axes in the layer. An axis of 1 is broadcast by the initializer.

    Args:
        values: nested tuples for the last axes of the weight; their axes may be 1 to repeat one entry.
        shape: the shape of the weight.
        layout: how the layer stores the weight.
    """
    flat = list(_flat(values))
    value_sizes = _sizes(values)
    sizes: tuple[int, ...] = (*(1 for _ in range(len(shape) - len(value_sizes))), *value_sizes)
    if layout.shape is not None:
        flat = [flat[_offset(index, sizes)] for index in product(*map(range, shape))]
        sizes = layout.shape
    if layout.entry is not None:
        sizes = sizes[1:]
        flat = flat[layout.entry * prod(sizes) : (layout.entry + 1) * prod(sizes)]
    return _nested(flat, sizes, layout.axes or tuple(range(len(sizes))))


def _flat(values: Constant) -> Iterator[Constant]:
    if isinstance(values, tuple):
        for item in values:
            yield from _flat(item)
    else:
        yield values


def _sizes(values: Constant) -> tuple[int, ...]:
    return (len(values), *_sizes(values[0])) if isinstance(values, tuple) else ()


def _offset(index: Sequence[int], sizes: Sequence[int]) -> int:
    """The position of an element in the flat list; along an axis of 1, every index is the same element."""
    offset = 0
    for i, size in zip(index, sizes, strict=True):
        offset = offset * size + (i if size > 1 else 0)
    return offset


def _nested(
    flat: Sequence[Constant], sizes: Sequence[int], axes: Sequence[int], index: tuple[int, ...] = ()
) -> Constant:
    """A flat list of these sizes as nested tuples, with its axes in the given order."""
    if len(index) == len(axes):
        return flat[_offset([index[axes.index(axis)] for axis in range(len(axes))], sizes)]
    return tuple(_nested(flat, sizes, axes, (*index, i)) for i in range(sizes[axes[len(index)]]))
