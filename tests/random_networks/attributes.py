"""Ops with random attributes: those of the samples, mixed, and the corners of their types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Literal, get_args, get_origin

from archspec.ir.types import TensorType
from archspec.ops import InvalidAttributes, Op, OpError
from archspec.ops.attribute_types import attributes_of
from tests.op_samples import GOOD, OP

LARGEST = 3_000
"""The most elements that a value of a random network has."""

REDRAWN = 0.5
"""How often an attribute of a sample is drawn again."""


@cache
def pools(kind: str) -> Mapping[str, tuple[Any, ...]]:
    """The values to draw for each attribute of an op: those in its samples, its default, and what its type names."""
    op = OP[kind]
    found: dict[str, dict[str, Any]] = {name: {} for name in attributes_of(op)}
    for sample in _samples(kind):
        for name, values in found.items():
            values.setdefault(repr(getattr(sample, name)), getattr(sample, name))
    for name, attribute in attributes_of(op).items():
        for value in _named(attribute.hint):
            found[name].setdefault(repr(value), value)
    return {name: tuple(values.values()) for name, values in found.items()}


@cache
def _samples(kind: str) -> tuple[Op, ...]:
    return tuple(sample.op for sample in GOOD if sample.op.kind == kind)


def _named(hint: Any) -> Iterator[Any]:
    """The values that a type lists: words, and true and false."""
    if hint is bool:
        yield from (False, True)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for part in get_args(hint):
            yield from _named(part)


def draw_op(
    random: Random, kind: str, inputs: Sequence[TensorType], *, tries: int = 30, **fixed: Any
) -> tuple[Op, tuple[TensorType, ...]] | None:
    """An op of a kind that takes these inputs, and the types of its outputs; None if several draws fail.

    `fixed` are attributes that are given.
    """
    for _ in range(tries):
        attributes = {**_drawn(random, kind, inputs), **fixed}
        try:
            op = OP[kind](**attributes)
            outputs = op.infer(inputs)
        except (OpError, InvalidAttributes):
            continue
        if all(output.elements <= LARGEST and len(output.sizes) <= 5 for output in outputs):
            return op, outputs
    return None


def _drawn(random: Random, kind: str, inputs: Sequence[TensorType]) -> dict[str, Any]:
    sample = random.choice(_samples(kind))
    attributes = sample.attributes()
    for name, values in pools(kind).items():
        if random.random() < REDRAWN:
            attributes[name] = random.choice(values)
    sizes = inputs[0].sizes
    for name in ("channels", "features", "groups"):  # as many as there are: depthwise and square layers
        if name in attributes and sizes and random.random() < 0.2:
            attributes[name] = sizes[0]
    if kind in _OF_SIZES and sizes and random.random() < 0.5:
        attributes |= _OF_SIZES[kind](random, *(each.sizes for each in inputs))
    return attributes


def _reshape(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    shapes = [(-1,), (sizes[0], -1), (-1, sizes[-1]), sizes[::-1], (1, *sizes), (*sizes, 1), (*sizes[:-1], 1, -1)]
    return {"sizes": tuple(random.choice(shapes))}


def _split(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    axis = random.randrange(len(sizes))
    cut = random.randint(1, max(1, sizes[axis] - 1))
    parts = [n for n in range(1, sizes[axis] + 1) if sizes[axis] % n == 0]
    if random.random() < 0.5 and cut < sizes[axis]:
        return {"parts": None, "sizes": (cut, sizes[axis] - cut), "axis": axis + 1}
    return {"parts": random.choice(parts), "sizes": None, "axis": axis - len(sizes)}


def _select(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    axis = random.randrange(len(sizes))
    return {"axis": axis + 1, "indices": tuple(random.choices(range(sizes[axis]), k=random.randint(1, 4)))}


def _size(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    """The sizes of the output: at most those of the input, or some more."""
    least = random.choice((0, 1))
    return {"size": tuple(random.randint(1, size + least * 3) for size in sizes[1:])}


def _resized(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    """A size, a smaller size with antialias, or a factor that is not whole."""
    if len(sizes) == 3 and random.random() < 0.3:
        smaller = {"size": tuple(random.randint(1, size) for size in sizes[1:]), "scale": None, "align_corners": False}
        return {**smaller, "mode": random.choice(("bilinear", "bicubic")), "antialias": True}
    if random.random() < 0.3:
        return {"size": None, "scale": random.choice((0.5, 0.6, 1.1, 1.5, 2.25, 1 / 3))}
    return {**_size(random, sizes), "scale": None}


def _offset(random: Random, sizes: Sequence[int], like: Sequence[int]) -> dict[str, Any]:
    pairs = list(zip(sizes[1:], like[1:], strict=False))
    return {"offset": tuple(random.randint(0, have - want) for have, want in pairs if have >= want) or None}


def _squeeze(random: Random, sizes: Sequence[int]) -> dict[str, Any]:
    ones = [axis for axis, size in enumerate(sizes, start=1) if size == 1]
    return {"axis": random.choice(ones)} if ones else {}


_OF_SIZES: Mapping[str, Callable[..., dict[str, Any]]] = {
    "reshape": _reshape,
    "permute": lambda random, sizes: {"order": tuple(random.sample(range(1, len(sizes) + 1), len(sizes)))},
    "squeeze": _squeeze,
    "unsqueeze": lambda random, sizes: {"axis": random.randint(1, len(sizes) + 1)},
    "expand": lambda random, sizes: {"sizes": tuple(random.randint(1, 3) if size == 1 else -1 for size in sizes)},
    "tile": lambda random, sizes: {"times": tuple(random.randint(1, 2) for _ in sizes)},
    "split": _split,
    "select": _select,
    "center_crop": _size,
    "crop_like": _offset,
    "adaptive_max_pool": _size,
    "adaptive_avg_pool": _size,
    "upsample": _resized,
    "pad": lambda random, sizes: random.choice(({}, {"mode": "constant", "value": 0.5})),
    "flatten": lambda random, sizes: {"start": random.randint(1, len(sizes)), "end": random.choice((-1, len(sizes)))},
    "glu": lambda random, sizes: {"axis": random.randint(1, len(sizes))},
}
"""Attributes that few inputs fit, drawn from the sizes of the input."""
