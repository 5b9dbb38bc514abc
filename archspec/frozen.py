"""Frozen classes that are cheap to define and to make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Any] | None = None, /, *, eq: bool = True) -> Any:
    """A dataclass with slots whose fields are frozen for the type checker, and whose methods are shared.

    `dataclass(frozen=True, slots=True)` compiles six methods per class when it is defined, a fifth of the time of
    `import archspec`, and its instances set each field through `object.__setattr__`. Here only `__init__` is compiled;
    comparison, hash and representation are functions of all such classes, and mypy reports assignments to fields.
    For public values, `dataclass(frozen=True)` enforces that at run time, too.

    Args:
        cls: the class.
        eq: whether instances are compared field by field; else by identity.
    """

    def make(cls: type[Any]) -> type[Any]:
        made: Any = dataclass(repr=False, eq=False, slots=True)(cls)
        made.__repr__ = _repr
        if eq:
            made.__eq__ = _eq
            made.__hash__ = _hash
        return made  # type: ignore[no-any-return]  # a class again

    return make if cls is None else make(cls)


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, item.name) for item in fields(self) if item.compare])


def _eq(self: Any, other: object) -> bool:
    return other.__class__ is self.__class__ and _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{type(self).__qualname__}({shown})"
