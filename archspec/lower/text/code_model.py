"""The model of generated code: constructions and function calls, as data that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType

INPLACE = "inplace"
"""An argument that never becomes a parameter of a class: it is set only if all instances may overwrite their input."""

Constant = int | float | bool | str | tuple["Constant", ...] | None


class ListLiteral(tuple[Constant, ...]):
    """Constants written as a list, such as indices."""

    __slots__ = ()


class Syntax(Enum):
    """What a `Call` is written as."""

    CALL = auto()
    LIST = auto()
    """A list of its arguments."""
    DICT = auto()
    """A dictionary of its arguments by their names."""
    LOOP = auto()
    """A generator expression: its arguments `element` and `iterations`; its callee is the variable of the loop."""
    CHOICE = auto()
    """A conditional expression: its argument `condition` and its two children."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the construction of a module, `nn.Conv2d(3, 64, 7, stride=2)`, or a function in `forward`.

    `arguments` are in the callee's order. The first `positional` of them are written without their names, and those
    equal to their default are omitted. `children` are the arguments of `nn.Sequential`.

    In the `template` of a function, `{x}` is the input, `{x0}` and `{x1}` are inputs by number, `{all}`, `{sum}` and
    `{product}` are all inputs joined by commas or operators, and other names are arguments. Without a template, the
    inputs come first. A construction with a template is written as the template.
    """

    callee: str
    arguments: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))
    positional: int = 0
    defaults: Mapping[str, Constant] = field(default_factory=lambda: MappingProxyType({}))
    children: tuple[Argument, ...] = ()
    names: tuple[str, ...] = ()
    """The names of the children, if they are not numbered."""
    template: str | None = None
    inplace: bool = False
    """Whether it takes `inplace=True`."""
    syntax: Syntax = Syntax.CALL
    stateless: bool = field(default=False, compare=False)
    """Whether one module can be used in several places: it has no weights and no state."""
    comment: str = field(default="", compare=False)
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The roles of arguments whose names differ from them: `width` may be `out_channels`."""

    def renamed(self, callee: str) -> Call:
        """The same call of another callee."""
        return Call(callee, self.arguments, self.positional, self.defaults, inplace=self.inplace)


@dataclass(frozen=True, slots=True)
class ParameterExpr:
    """An argument that differs from one instance of a class to the next: an expression of constructor parameters."""

    text: str


@dataclass(frozen=True, slots=True)
class DeferredCall:
    """A module whose construction is not known yet, because its class is still being inferred."""

    module: object


Argument = Constant | Call | ParameterExpr | DeferredCall


Options = Mapping[str, tuple[Constant, Constant]]
"""Optional arguments by name, each with its value and its default."""


def call(
    callee: str,
    required: Mapping[str, Constant],
    optional: Options,
    *,
    inplace: bool = False,
) -> Call:
    """A call with required arguments by position and optional ones by name."""
    arguments: dict[str, Argument] = {**required, **{name: value for name, (value, _) in optional.items()}}
    defaults = {name: default for name, (_, default) in optional.items()}
    return Call(callee, arguments, len(required), defaults, inplace=inplace)


def function(callee: str, template: str, arguments: Mapping[str, Constant] | None = None) -> Call:
    """A function written by a template."""
    return Call(callee, dict(arguments or {}), template=template)


def same(values: Sequence[int]) -> Constant:
    """One number if all axes agree, else one number per axis."""
    return values[0] if len(set(values)) == 1 else tuple(values)
