"""Numbers that a spec lists for a weight, in the order in which a layer of Keras holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from archspec.lower.keras.rules.common import WeightLayout
from archspec.lower.text.code_model import Constant


def listed(values: Constant, shape: Sequence[int], held: WeightLayout) -> Constant:
    """The numbers, nested as the layer's axes are; an axis of 1 stands for all it repeats over.

    Args:
        values: nested tuples, for the last axes of the weight, or axes of 1 in their stead.
        shape: the shape of the weight.
        held: how the layer holds it.
    """
    flat = list(_flat(values))
    given = _sizes(values)
    sizes: tuple[int, ...] = (*(1 for _ in range(len(shape) - len(given))), *given)
    if held.shape is not None:
        flat = [flat[_place(at, sizes)] for at in product(*map(range, shape))]
        sizes = held.shape
    if held.entry is not None:
        sizes = sizes[1:]
        flat = flat[held.entry * prod(sizes) : (held.entry + 1) * prod(sizes)]
    return _nested(flat, sizes, held.axes or tuple(range(len(sizes))))


def _flat(values: Constant) -> Iterator[Constant]:
    if isinstance(values, tuple):
        for item in values:
            yield from _flat(item)
    else:
        yield values


def _sizes(values: Constant) -> tuple[int, ...]:
    return (len(values), *_sizes(values[0])) if isinstance(values, tuple) else ()


def _place(at: Sequence[int], sizes: Sequence[int]) -> int:
    """Where an element stands in a flat list; there is one for all along an axis of 1."""
    place = 0
    for index, size in zip(at, sizes, strict=True):
        place = place * size + (index if size > 1 else 0)
    return place


def _nested(flat: Sequence[Constant], sizes: Sequence[int], axes: Sequence[int], at: tuple[int, ...] = ()) -> Constant:
    """Nested tuples whose axes are those of a flat list in another order."""
    if len(at) == len(axes):
        return flat[_place([at[axes.index(axis)] for axis in range(len(axes))], sizes)]
    return tuple(_nested(flat, sizes, axes, (*at, i)) for i in range(sizes[axes[len(at)]]))
