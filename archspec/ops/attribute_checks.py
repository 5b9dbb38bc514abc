"""Checks of attributes, without pydantic where a direct check suffices.

Importing pydantic and building the validator of a class take longer than building a whole network. The checks here are
derived from the annotations that pydantic reads, and accept a value only if pydantic would give the same one.
Whatever they leave undecided is validated by pydantic, which also describes every error.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import isfinite
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from archspec.ops.attribute_types import Bounds, Phrase, attributes_of

if TYPE_CHECKING:
    from archspec.ops.base import Op

UNDECIDED = object()
"""The result of a check that leaves the decision to pydantic."""

Check = Callable[[Any], Any]
"""The value that pydantic would give, or `UNDECIDED`."""

_EXACT_INTEGERS = 2**53
"""Up to this, every integer is a float."""
_BOUNDS = {"ge": ge, "gt": gt, "le": le, "lt": lt}


class InvalidAttributes(ValueError):
    """Attributes of an op are missing, unknown, or have invalid values."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = names


def checked(kind: type[Op], attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """All attributes of an op of a class, in the order they are declared, from those that are given.

    Raises:
        InvalidAttributes: an attribute is missing, unknown, or has an invalid value.
    """
    checks, defaults = _checks(kind)
    if attributes.keys() <= checks.keys():
        values = defaults | {name: checks[name](value) for name, value in attributes.items()}
        if UNDECIDED not in values.values():
            return values
    from archspec.ops.attribute_validation import validated

    return validated(kind, attributes)


@cache
def _checks(kind: type[Op]) -> tuple[Mapping[str, Check], dict[str, Any]]:
    """The check of each attribute, and its default, undecided if it is required."""
    known = attributes_of(kind).items()
    checks = {name: _check(attribute.hint) for name, attribute in known}
    return checks, {name: UNDECIDED if attribute.required else attribute.default for name, attribute in known}


def _check(hint: Any) -> Check:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *extras = get_args(hint)
        return _within(_check(inner), extras)
    if origin is Union or origin is types.UnionType:
        return _any_of([_check(arm) for arm in get_args(hint)])
    if origin is Literal:
        words = {word: word for word in get_args(hint) if isinstance(word, str)}
        return lambda value: words.get(value, UNDECIDED) if isinstance(value, str) else UNDECIDED
    if origin is tuple:
        return _tuple_of(get_args(hint))
    return _OF_TYPES.get(hint, _undecided)


def _undecided(value: Any) -> Any:
    return UNDECIDED


def _float(value: Any) -> Any:
    if type(value) is int and abs(value) <= _EXACT_INTEGERS:
        return float(value)
    return value if type(value) is float and isfinite(value) else UNDECIDED


_OF_TYPES: Mapping[Any, Check] = {
    int: lambda value: value if type(value) is int else UNDECIDED,
    bool: lambda value: value if type(value) is bool else UNDECIDED,
    float: _float,
    types.NoneType: lambda value: value if value is None else UNDECIDED,
}


def _any_of(arms: Sequence[Check]) -> Check:
    if _undecided in arms:  # pydantic may prefer that type
        return _undecided

    def check(value: Any) -> Any:
        accepted = [result for arm in arms if (result := arm(value)) is not UNDECIDED]
        return accepted[0] if len(accepted) == 1 else UNDECIDED

    return check


def _tuple_of(parts: tuple[Any, ...]) -> Check:
    same = len(parts) == 2 and parts[1] is Ellipsis
    checks = [_check(part) for part in parts[:1] if same] or [_check(part) for part in parts]
    if _undecided in checks:
        return _undecided

    def check(value: Any) -> Any:
        if type(value) is not tuple or not (same or len(value) == len(checks)):
            return UNDECIDED
        results = tuple([each(item) for each, item in zip(checks * len(value) if same else checks, value, strict=True)])
        return UNDECIDED if UNDECIDED in results else results

    return check


def _within(inner: Check, extras: Sequence[Any]) -> Check:
    """A check of bounds as well; undecided if there is something else than bounds and phrases."""
    if inner is _undecided or not all(isinstance(extra, Bounds | Phrase) for extra in extras):
        return _undecided
    given = [item for extra in extras if isinstance(extra, Bounds) for item in extra.given().items()]
    bounds = [(_BOUNDS[name], bound) for name, bound in given]

    def check(value: Any) -> Any:
        result = inner(value)
        if result is not UNDECIDED:
            for holds, bound in bounds:
                if not holds(result, bound):
                    return UNDECIDED
        return result

    return check if bounds else inner
