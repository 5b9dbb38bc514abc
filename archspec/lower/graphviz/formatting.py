"""Short texts for people: of an op and its attributes, of shapes, of counts and of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from archspec.ir.graph import Node
from archspec.ir.types import TensorType
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of

_EXTENTS = ("kernel", "size")
"""Attributes that are sizes of the spatial axes: a single number is written once per axis."""
_NAMED = ("dilation", "groups", "axis")
"""Attributes that are shown with their names if they are not the default."""
_IMPLIED = ("same", "valid")
"""Keywords that follow from the output shape."""
_MAX_LENGTH = 32


def readable(kind: str) -> str:
    """The kind of an op or the name of a block in words: `max pool`."""
    return kind.replace("_", " ")


def details(node: Node) -> str:
    """The attributes that matter: `3×3 / 2, 64` for a convolution, `1000` for a linear layer.

    These are the window, the required attributes, the one with a shorthand, and keywords. The tooltip shows the others.
    """
    op = node.op
    assert isinstance(op, Op)
    texts = {name: _value(op, node, name, value) for name, value in op.explicit_attributes().items()}
    window = " / ".join(texts[name] for name in ("kernel", "stride") if name in texts)
    text = ", ".join(filter(None, [window, *_others(op, node, texts)]))
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1].rstrip(" ,") + "…"


def _others(op: Op, node: Node, texts: Mapping[str, str]) -> Iterator[str]:
    for name, value in texts.items():
        if name in ("kernel", "stride"):
            continue
        if name == "groups" and getattr(op, name) == node.inputs[0].type.channels:
            yield "depthwise"
        elif name in _NAMED:
            yield f"{name} {value}"
        elif name in (op.shorthand, "number") or attributes_of(type(op))[name].required:
            yield ("×" if name == "scale" else "") + value
        elif isinstance(getattr(op, name), str) and getattr(op, name) not in _IMPLIED:
            yield value


def _value(op: Op, node: Node, name: str, value: object) -> str:
    """A number, or several: joined by × if they are per spatial axis."""
    per_axis = _accepts_list(attributes_of(type(op))[name].hint)
    if isinstance(value, tuple):
        return ("×" if per_axis else ", ").join(map(_plain, value))
    if per_axis and name in _EXTENTS:
        return "×".join([_plain(value)] * max(1, node.inputs[0].type.rank - 2))
    return _plain(value)


def _accepts_list(hint: Any) -> bool:
    """Whether a type accepts a list, of one number per axis."""
    return any(get_origin(arm) is tuple or _accepts_list(arm) for arm in get_args(hint))


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def format_sizes(type: TensorType) -> str:
    """The sizes of one sample: `64×112×112`."""
    return "×".join(map(str, type.sizes)) or "1"


def format_count(count: int) -> str:
    """A count in at most four digits: `9,408`, `25.6 M`."""
    if count < 10_000:
        return f"{count:,}"
    digits, _, exponent = f"{count:.2e}".partition("e")
    thousands, tens = divmod(int(exponent), 3)
    return f"{float(digits) * 10**tens:.3g} {'kMGTPEZY'[thousands - 1]}"


def format_quantity(count: int, noun: str) -> str:
    """`1 layer`, `12 layers`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def is_automatic(name: str, base: str) -> bool:
    """Whether a name adds no information: the kind itself, perhaps with `_` and a number, or just a number."""
    return name.isdigit() or re.fullmatch(re.escape(base).replace("_", "_?") + r"(_\d+)?", name) is not None


def format_range(names: Sequence[str]) -> str:
    """The names of scopes in a row: `1, 2`, or `1…35`."""
    return (", " if len(names) == 2 else "…").join(filter(None, [*names[:1], *names[1:][-1:]]))
