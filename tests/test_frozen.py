"""Classes made by `frozen` and `record` behave as dataclasses do."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from functools import cached_property
from typing import Any, ClassVar

import pytest

from archspec.frozen import field, frozen, record, replace


def classes(decorate: Callable[[type[Any]], Any], new_field: Callable[..., Any]) -> tuple[type[Any], type[Any]]:
    """A class with every kind of field, and one that extends it."""

    class Base:
        """Its `total` is computed."""

        kind: ClassVar[str] = "base"
        name: str
        size: int = 3
        items: tuple[int, ...] = new_field(default_factory=tuple)
        total: int = new_field(init=False)
        names: tuple[str, ...] = new_field(default=(), init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.size + len(self.items))

    base = decorate(Base)

    class Extended(base):  # type: ignore[misc, valid-type]
        """It has another default, and a field more."""

        label: str = "x"
        size: int = 5

    return base, decorate(Extended)


OURS = classes(frozen(enforced=True), field)
THEIRS = classes(dataclasses.dataclass(frozen=True, slots=True), dataclasses.field)


def outcome(function: Callable[..., Any], *args: Any, **options: Any) -> str:
    """The text of a result, or the error that builtin exceptions know."""
    try:
        return repr(function(*args, **options))
    except Exception as error:
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


@pytest.mark.parametrize(("ours", "theirs"), list(zip(OURS, THEIRS, strict=True)))
def test_frozen_classes_are_those_of_dataclass(ours: type[Any], theirs: type[Any]) -> None:
    def facts(cls: type[Any]) -> list[object]:
        one, same, other = cls("a", 1, (2,)), cls("a", 1, items=(2,)), cls("a", 2, (2,))
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            (("a",), {}), (("a", 4), {}), (("a", 4, (1, 2)), {}), ((), {"name": "b", "items": (1,)}), ((), {}),
            (("a",), {"no": 1}), (("a",), {"total": 2}), (("a",), {"label": "y"}), (("a", 1, (), ("n",), 1), {}),
        ]  # fmt: skip
        return [
            cls.__match_args__, cls.__qualname__, tuple(inspect.signature(cls).parameters), cls.kind,
            [each.name for each in dataclasses.fields(cls)], [outcome(cls, *args, **more) for args, more in calls],
            one == same, one != other, one == object(), hash(one) == hash(same), hasattr(one, "__dict__"),
            outcome(dataclasses.asdict, one), outcome(dataclasses.replace, one, size=9), outcome(deepcopy, other),
            outcome(setattr, one, "name", "b"), outcome(delattr, one, "size"), outcome(copy, other),
        ]  # fmt: skip

    assert facts(ours) == facts(theirs)
    assert outcome(replace, ours("a"), size=9) == outcome(dataclasses.replace, theirs("a"), size=9)


@frozen(enforced=True)
class Pair:
    left: int
    right: int = 2

    @cached_property
    def total(self) -> int:
        return self.left + self.right


def test_cached_properties_and_pickles() -> None:
    pair = Pair(1)
    assert (pair.total, pair.__dict__) == (3, {"total": 3})
    assert pickle.loads(pickle.dumps(pair)) == copy(pair) == Pair(1, 2)
    with pytest.raises(AttributeError, match="'left' of a 'Pair' cannot be changed"):
        pair.left = 2  # type: ignore[misc]


def test_instances_without_comparison_differ() -> None:
    @frozen(eq=False)
    class Plain:
        number: int = 0

    @record
    class Count:
        number: int = 0

    count = Count()
    count.number += 1
    assert count.number == 1
    assert Plain() != Plain()
    assert Count() != Count()
