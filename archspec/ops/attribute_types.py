"""The types of attributes of ops, each with the phrase that error messages use for it."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from archspec.frozen import frozen

if TYPE_CHECKING:
    from archspec.ops.base import Op


@frozen
class Phrase:
    """How error messages describe the values of an attribute."""

    text: str


@frozen
class Bounds:
    """The smallest and largest values of a number, which is finite; `gt` and `lt` are excluded."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def given(self) -> Mapping[str, float]:
        """The bounds that there are, by name."""
        bounds = {"ge": self.ge, "gt": self.gt, "le": self.le, "lt": self.lt}
        return {name: bound for name, bound in bounds.items() if bound is not None}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The schema by which pydantic validates the number; its keys are those of `given`."""
        schema = handler(source)
        finite = {"allow_inf_nan": False} if schema["type"] == "float" else {}
        return {**schema, **finite, **self.given()}


T = TypeVar("T")

LARGEST = 2**40
"""The largest integer an attribute can be; a larger size is an error."""

Count = Annotated[int, Bounds(ge=1, le=LARGEST), Phrase("a whole number of at least 1")]
Natural = Annotated[int, Bounds(ge=0, le=LARGEST), Phrase("a whole number of at least 0")]
Whole = Annotated[int, Bounds(ge=-LARGEST, le=LARGEST), Phrase("a whole number")]
FLOAT_MAX = 3.4028234663852886e38
"""The largest number float32 holds."""

Number = Annotated[float, Bounds(ge=-FLOAT_MAX, le=FLOAT_MAX), Phrase("a number float32 holds")]
Positive = Annotated[float, Bounds(gt=0, le=FLOAT_MAX), Phrase("a number above 0")]
Fraction = Annotated[float, Bounds(ge=0, lt=1), Phrase("a number of at least 0 and below 1")]
Momentum = Annotated[float, Bounds(ge=0, le=1), Phrase("a number from 0 to 1")]
Flag = Annotated[bool, Phrase("true or false")]

_ONE_PER_AXIS = Phrase("or a list of one per axis")
_PADS = "a number, a list of one per axis, a list of [before, after] per axis, 'same'"
_PADDING, _CONV_PADDING = Phrase(f"{_PADS} or 'valid'"), Phrase(f"{_PADS}, 'valid' or 'causal'")

PerAxis = Annotated[T | tuple[T, ...], _ONE_PER_AXIS]

Axes = Annotated[Whole | tuple[Whole, ...], Phrase("a whole number, or a list of them")]

Padding = Annotated[
    Literal["same", "valid"] | Natural | tuple[Natural | tuple[Natural, Natural], ...],
    _PADDING,
]

ConvPadding = Annotated[
    Literal["same", "valid", "causal"] | Natural | tuple[Natural | tuple[Natural, Natural], ...],
    _CONV_PADDING,
]


REQUIRED = object()
"""The default of an attribute that has none."""


@frozen(eq=False)
class AttributeInfo:
    """One attribute of an op as its class declares it.

    `hint` is its type, with bounds and phrases; `keywords` are the words among its values. `per_axis` says whether its
    values are lists of one entry per axis, for which one entry may stand.
    """

    hint: Any
    default: Any
    keywords: frozenset[str]
    per_axis: bool

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def phrase(self) -> str:
        """How error messages describe its values."""
        return _phrase(self.hint)


@cache
def attributes_of(op: type[Op]) -> Mapping[str, AttributeInfo]:
    """The attributes of an op class by name, in the order they are declared: all annotated fields but class variables.

    Raises:
        Exception: an annotation that is a string cannot be evaluated.
    """
    hints: dict[str, Any] = {}
    for base in reversed(op.__mro__):
        hints |= getattr(base, "__annotations__", {})
    if any(isinstance(hint, str) for hint in hints.values()):  # a plugin may postpone them
        hints = get_type_hints(op, include_extras=True)
    return {
        name: AttributeInfo(hint, getattr(op, name, REQUIRED), frozenset(_keywords(hint)), _is_per_axis(hint))
        for name, hint in hints.items()
        if hint is not ClassVar and get_origin(hint) is not ClassVar
    }


def _phrase(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        words = next((extra.text for extra in extras if isinstance(extra, Phrase)), None)
        if words is None:
            return _phrase(inner)
        return f"{_phrase(get_args(inner)[0])}, {words}" if words.startswith("or ") else words
    if get_origin(hint) in (Union, types.UnionType):
        parts = dict.fromkeys(_phrase(arm) for arm in get_args(hint) if arm is not type(None))
        return " or ".join(parts)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(f"'{word}'" for word in get_args(hint))
    if get_origin(hint) is tuple:
        return "a list: each " + _phrase(get_args(hint)[0])
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(hint, str(hint))


def _is_per_axis(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return any(extra in (_ONE_PER_AXIS, _PADDING, _CONV_PADDING) for extra in get_args(hint)[1:])
    return get_origin(hint) in (Union, types.UnionType) and any(map(_is_per_axis, get_args(hint)))


def shortest(value: Any) -> Any:
    """The shortest form of a value per axis: one entry if all are equal, one number for equal pads, 0 for `valid`.

    The pads of one axis stay a list, since a list of two numbers is for two axes.
    """
    if not isinstance(value, tuple):
        return 0 if value == "valid" else value
    entries = [entry[0] if isinstance(entry, tuple) and entry[0] == entry[1] else entry for entry in value]
    alone = entries and all(entry == entries[0] for entry in entries) and not isinstance(entries[0], tuple)
    return entries[0] if alone else tuple(entries)


def _keywords(hint: Any) -> Iterator[str]:
    """All literal strings in the type of an attribute."""
    origin = get_origin(hint)
    if origin is Literal:
        yield from (word for word in get_args(hint) if isinstance(word, str))
    elif origin is Annotated:
        yield from _keywords(get_args(hint)[0])
    elif origin is not None:
        for part in get_args(hint):
            yield from _keywords(part)
