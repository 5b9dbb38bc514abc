"""Creating ops from attributes, without a pydantic validator where a direct check suffices.

Pydantic builds the validator of a class when it is first used, which takes longer than building a whole network. The
direct checks here are derived from the same annotations, and accept a value only if pydantic would give the same one.
Whatever they leave undecided is validated by pydantic, which also describes every error.
"""

import types
from collections.abc import Callable, Mapping, Sequence, Set
from functools import cache
from math import isfinite
from operator import ge, gt, le, lt
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from archspec.ops.attribute_types import Phrase, hint_of
from archspec.ops.base import Op

UNDECIDED = object()
"""The result of a check that leaves the decision to pydantic."""

Check = Callable[[Any], Any]
"""The value that pydantic would give, or `UNDECIDED`."""

_EXACT_INTEGERS = 2**53
"""Up to this, every integer is a float."""
_BOUNDS = {"ge": ge, "gt": gt, "le": le, "lt": lt}


_KEPT = 4096
"""Ops kept for the whole process: loading a network again creates none."""

_ops: dict[tuple[type[Op], str], Op] = {}


def create(kind: type[Op], attributes: Mapping[str, Any]) -> Op:
    """The op of a class with these attributes. Equal attributes usually give the same object.

    Raises:
        pydantic.ValidationError: an attribute is missing, unknown, or has an invalid value.
    """
    key = kind, repr(attributes)
    op = _ops.get(key)
    if op is None:
        if len(_ops) >= _KEPT:
            _ops.clear()
        op = _ops[key] = _created(kind, attributes)
    return op


def _created(kind: type[Op], attributes: Mapping[str, Any]) -> Op:
    checks, required = _checks(kind)
    if required <= attributes.keys() <= checks.keys():
        values = {name: checks[name](value) for name, value in attributes.items()}
        if UNDECIDED not in values.values():
            return kind.model_construct(**values)
    return kind.model_validate(attributes)


@cache
def _checks(kind: type[Op]) -> tuple[Mapping[str, Check], Set[str]]:
    """The check of each attribute, and the attributes that are required.

    An op of a plugin may use everything that pydantic offers, so its attributes are left to pydantic.
    """
    of_language = kind.__module__.rpartition(".")[0] == __package__
    fields = kind.model_fields
    checks = {name: _check(hint_of(field)) if of_language else _undecided for name, field in fields.items()}
    return checks, {name for name, field in fields.items() if field.is_required()}


def _check(hint: Any) -> Check:
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        return _within(_check(inner), extras)
    if get_origin(hint) in (Union, types.UnionType):
        return _any_of([_check(arm) for arm in get_args(hint)])
    if get_origin(hint) is Literal:
        words = {word: word for word in get_args(hint) if isinstance(word, str)}
        return lambda value: words.get(value, UNDECIDED) if isinstance(value, str) else UNDECIDED
    if get_origin(hint) is tuple:
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
    def check(value: Any) -> Any:
        accepted = [result for arm in arms if (result := arm(value)) is not UNDECIDED]
        return accepted[0] if len(accepted) == 1 else UNDECIDED

    return check


def _tuple_of(parts: tuple[Any, ...]) -> Check:
    same = len(parts) == 2 and parts[1] is Ellipsis
    checks = [_check(part) for part in parts[:1] if same] or [_check(part) for part in parts]

    def check(value: Any) -> Any:
        if type(value) is not tuple or not (same or len(value) == len(checks)):
            return UNDECIDED
        results = tuple([each(item) for each, item in zip(checks * len(value) if same else checks, value, strict=True)])
        return UNDECIDED if UNDECIDED in results else results

    return check


def _within(inner: Check, extras: Sequence[Any]) -> Check:
    """A check of bounds as well; undecided if there is something else than bounds."""
    bounds: list[tuple[Callable[[Any, Any], bool], Any]] = []
    for extra in _flat(extras):
        known = {name: value for name, value in _facts(extra).items() if name in _BOUNDS}
        if len(known) != len(_facts(extra)):
            return _undecided
        bounds += [(_BOUNDS[name], value) for name, value in known.items()]

    def check(value: Any) -> Any:
        result = inner(value)
        if result is not UNDECIDED:
            for holds, bound in bounds:
                if not holds(result, bound):
                    return UNDECIDED
        return result

    return check if bounds else inner


def _flat(extras: Sequence[Any]) -> list[Any]:
    """The metadata of an annotation, and what its `Field`s contain, without phrases."""
    parts = [part for extra in extras for part in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
    return [part for part in parts if not isinstance(part, Phrase)]


def _facts(extra: Any) -> Mapping[str, Any]:
    """The constraints in a piece of metadata by name. Infinity and NaN are never accepted here."""
    names = (*_BOUNDS, "allow_inf_nan")
    facts = {name: getattr(extra, name) for name in names if hasattr(extra, name)} or {"unknown": extra}
    return {name: value for name, value in facts.items() if (name, value) != ("allow_inf_nan", False)}
