"""Classes of values that are cheap to define and to make."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform, overload

T = TypeVar("T")


class _Field:
    """A field of a class: its default or what makes it, and whether the constructor takes it."""

    __slots__ = ("default", "default_factory", "init")

    def __init__(self, default: Any, default_factory: Callable[[], Any] | None, init: bool) -> None:
        self.default, self.default_factory, self.init = default, default_factory, init


_NONE: Any = object()
"""The default of a field without one, and the argument of a constructor that is not given."""


def field(*, default: Any = _NONE, default_factory: Callable[[], Any] | None = None, init: bool = True) -> Any:
    """A field with a default, or one made for each instance; `init` is whether the constructor takes it."""
    return _Field(default, default_factory, init)


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, eq: bool = True, enforced: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Any] | None = None, /, *, eq: bool = True, enforced: bool = False) -> Any:
    """A class with slots for its annotated fields and a constructor, as `dataclass(frozen=True, slots=True)` makes it.

    `dataclass` imports `inspect` and compiles six methods per class: a quarter of the time of `archspec check`. Here
    only the constructor is compiled. A cached property adds `__dict__` to the slots.

    Args:
        cls: the class.
        eq: whether instances are compared field by field; else by identity.
        enforced: whether assignments to fields raise an error. For values that are not public, the type checker
            reports them, and the constructor is faster.
    """
    return _made(cls, eq, enforced) if cls is not None else lambda cls: _made(cls, eq, enforced)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A class as `frozen` makes it whose fields can be changed. Instances are compared by identity."""
    return _made(cls, eq=False, enforced=False)


def _made(cls: type[Any], eq: bool, enforced: bool) -> type[Any]:
    inherited: dict[str, _Field] = getattr(cls, "_fields", {})
    own: dict[str, _Field] = {}
    for name, hint in cls.__annotations__.items():
        if "ClassVar[" not in str(hint):
            default = vars(cls).get(name, _NONE)
            own[name] = default if isinstance(default, _Field) else _Field(default, None, True)
    fields = {**inherited, **own}
    content = {name: value for name, value in vars(cls).items() if name not in (*own, "__dict__", "__weakref__")}
    cached = any(isinstance(value, cached_property) for value in content.values())
    added = {
        "__slots__": (*(name for name in own if name not in inherited), *(["__dict__"] if cached else [])),
        "__match_args__": tuple(name for name, each in fields.items() if each.init),
        "__dataclass_fields__": _DataclassFields(),
        "__repr__": _repr,
        "__qualname__": cls.__qualname__,
        "_fields": fields,
    }
    if eq:
        added["__eq__"], added["__hash__"] = _comparison(tuple(fields))
    if enforced:
        added["__setattr__"], added["__delattr__"], added["__setstate__"] = _refuse, _refuse, _restore
    metaclass: Any = type(cls)
    made: type[Any] = metaclass(cls.__name__, cls.__bases__, added | content)
    if "__init__" not in content:
        made.__init__ = _constructor(made, enforced)
    return made


def _constructor(cls: Any, enforced: bool) -> Callable[..., None]:
    scope: dict[str, Any] = {"_NONE": _NONE}
    parameters, lines = ["self"], []
    for name, each in cls._fields.items():
        value = default = f"_{name}"
        if each.default_factory is not None:
            scope[default], value = each.default_factory, f"{default}()"
        elif each.default is not _NONE:
            scope[default] = each.default
        if each.init and each.default_factory is not None:
            parameters.append(f"{name}=_NONE")
            value = f"{value} if {name} is _NONE else {name}"
        elif each.init:
            parameters.append(f"{name}={default}" if default in scope else name)
            value = name
        elif default not in scope:
            continue  # `__post_init__` sets it
        if enforced:
            scope[f"_set_{name}"] = getattr(cls, name).__set__
        lines.append(f"_set_{name}(self, {value})" if enforced else f"self.{name} = {value}")
    lines += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), scope)  # noqa: S102  # our text
    constructor: Callable[..., None] = scope["__init__"]
    return constructor


def _comparison(names: tuple[str, ...]) -> tuple[Callable[[Any, object], Any], Callable[[Any], int]]:
    """Comparison and hash of instances with these fields."""
    values: Callable[[Any], Any] = attrgetter(*names) if names else lambda self: ()

    def equal(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return equal, lambda self: hash(values(self))


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"


def _refuse(self: Any, name: str, value: object = None) -> NoReturn:
    raise AttributeError(f"'{name}' of a '{type(self).__name__}' cannot be changed")


def _restore(self: Any, state: Any) -> None:
    """Restore a pickled or copied instance from `__dict__` and the values of its slots."""
    for values in filter(None, state):
        for name, value in values.items():
            object.__setattr__(self, name, value)


class _DataclassFields:
    """What `dataclasses.replace`, `fields` and `asdict` need of a class, made when they first ask for it."""

    def __get__(self, instance: object, owner: Any) -> Any:
        from dataclasses import field as dataclass_field
        from dataclasses import make_dataclass

        fields = [(name, Any, dataclass_field(init=each.init)) for name, each in owner._fields.items()]
        owner.__dataclass_fields__ = make_dataclass(owner.__name__, fields).__dataclass_fields__  # type: ignore[attr-defined]
        return owner.__dataclass_fields__


if TYPE_CHECKING:
    from dataclasses import replace as replace  # its arguments are checked
else:

    def replace(instance: T, /, **changes: Any) -> T:
        """`dataclasses.replace` for classes made here, without importing it."""
        fields = {name: getattr(instance, name) for name, each in instance._fields.items() if each.init}
        return type(instance)(**{**fields, **changes})
