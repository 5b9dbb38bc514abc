"""The syntax tree of expressions, and the evaluation of each node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, cast

from archspec.diagnostics import MOST_COMPARED, did_you_mean
from archspec.frontend.expressions import work
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.expressions.values import (
    INVALID,
    MAX_INTEGER,
    Bare,
    Data,
    Invalid,
    list_size,
    show,
)
from archspec.frontend.foreign_names import attribute_help, name_help
from archspec.frozen import frozen


class ExpressionError(Exception):
    """Something is wrong at `start` to `stop`, counted in characters from the start of the expression.

    `help` may be a `Bare` word from another place: its text then depends on the source of the diagnostic. `whole` is
    the text of the whole expression that `help` names, if it names one.
    """

    whole: str | None = None

    def __init__(self, message: str, start: int, stop: int, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.stop, self.help = message, start, stop, help

    def moved(self, by: int) -> ExpressionError:
        """The same error, counted from another start."""
        return type(self)(self.message, self.start + by, self.stop + by, self.help)


class UnknownName(ExpressionError):
    """An expression uses an undefined name."""


@frozen
class InputValue:
    """Input values as expressions see them, `in` or a named input of a block: sizes without the batch axis.

    `on_read` is called with the name of each attribute that an expression reads, and the axes whose sizes that are. The
    number of axes is not a size.
    """

    shapes: tuple[tuple[int, ...], ...]
    on_read: Callable[[str, range], None] | None = None

    def attribute(self, name: str) -> Data:
        """A fact all the values share.

        Raises:
            ValueError: there is no such fact, or each value has another.
        """
        facts = list(dict.fromkeys(self._of(sizes, name) for sizes in self.shapes))
        if len(facts) != 1:
            shown = " and ".join(map(show, facts))
            raise ValueError(f"the {len(self.shapes)} inputs differ in {name}: {shown}")
        return facts[0]

    def _of(self, sizes: tuple[int, ...], name: str) -> int | tuple[int, ...]:
        if name == "shape":
            return sizes
        if not sizes:
            raise ValueError(f"the input has only the batch axis, so no {name}")
        return sizes[0] if name == "channels" else sizes[1:]

    def report(self, name: str, entry: int | None = None) -> None:
        """Report that an expression reads an attribute, or one entry of it. Axes are counted without the batch axis."""
        if self.on_read is not None:
            axes = range(1) if name == "channels" else range(1 if name == "spatial" else 0, len(self.shapes[0]))
            self.on_read(name, axes if entry is None else range(axes[entry], axes[entry] + 1))


INPUT_ATTRIBUTES = ("channels", "shape", "spatial")

Environment = Mapping[str, Any]
"""Values of names: `Data`, or `INVALID`, or an `InputValue` under the name of an input or `in`."""


def look_up(name: str, scope: Environment) -> Any:
    """The value of a name that is in the environment.

    Raises:
        Invalid: an error that was already reported leaves it unknown.
    """
    value = scope[name]
    if value is INVALID:
        raise Invalid
    return value


@frozen
class Expr:
    """A part of an expression, from `start` to `stop`."""

    start: int
    stop: int

    def evaluate(self, scope: Environment) -> Data:
        raise NotImplementedError  # every kind of term has its own

    def peek(self, scope: Environment) -> Data:
        """Its value, where only the number of its entries matters, or those that are then reported as read."""
        return self.evaluate(scope)

    def wrong(self, message: str, help: str | None = None) -> ExpressionError:
        return ExpressionError(message, self.start, self.stop, help)


@frozen
class Expression:
    """A parsed expression. `names` are the names it reads."""

    text: str
    names: frozenset[str]
    root: Expr

    def evaluate(self, scope: Environment) -> Data:
        """Its value, with the values of names in `scope`.

        Raises:
            ExpressionError: an undefined name, operands of the wrong kind, a bound passed.
            Invalid: it reads a value whose error was already reported.
        """
        if work.is_shared():
            return self.root.evaluate(scope)
        with work.shared_work():
            return self.root.evaluate(scope)


@frozen
class LiteralExpr(Expr):
    """A number, a text, true or false."""

    value: Data

    def evaluate(self, scope: Environment) -> Data:
        return self.value


@frozen
class NameExpr(Expr):
    """The value of a name."""

    name: str

    def evaluate(self, scope: Environment) -> Data:
        if self.name in scope:
            value = look_up(self.name, scope)
            if isinstance(value, InputValue):
                raise self.wrong(f"the input '{self.name}' is not a value by itself", attributes_help(self.name))
            return cast(Data, value)
        help = name_help(self.name, sorted(name for name in islice(scope, MOST_COMPARED) if name != "in"))
        raise UnknownName(f"unknown name '{self.name}'", self.start, self.stop, help)


@frozen
class AttributeExpr(Expr):
    """An attribute of `in`, or of a named input of a block."""

    input: str
    name: str

    def evaluate(self, scope: Environment) -> Data:
        value = self.peek(scope)
        self.report(scope)
        return value

    def peek(self, scope: Environment) -> Data:
        value = look_up(self.input, scope) if self.input in scope else None
        if not isinstance(value, InputValue):
            raise self._not_an_input(scope)
        try:
            return value.attribute(self.name)
        except ValueError as error:
            raise self.wrong(str(error)) from None

    def report(self, scope: Environment, entry: int | None = None) -> None:
        """Report that the attribute is read, or one entry of it."""
        cast(InputValue, scope[self.input]).report(self.name, entry)

    def _not_an_input(self, scope: Environment) -> ExpressionError:
        if self.input == "in":
            return self.wrong("`in` is not available here", f"use it in {_FIELDS}")
        if help := attribute_help(self.input, self.name, (), INPUT_ATTRIBUTES):
            return self.wrong(f"'{self.input}' has no attributes", help)
        if self.input in scope:
            return self.wrong(f"'{self.input}' has no attributes", HAVE_ATTRIBUTES)
        inputs = [name for name, value in scope.items() if isinstance(value, InputValue)]
        help = did_you_mean(self.input, inputs) if inputs else f"inputs of a block are known in {_FIELDS}"
        return self.wrong(f"there is no input '{self.input}' here", help)


_FIELDS = "`when`, attributes, arguments, `times` and `over`"
"""Where expressions know inputs."""


def attributes_help(input: str) -> str:
    """The help that lists the attributes of an input."""
    return f"use one of {', '.join(f'{input}.{name}' for name in INPUT_ATTRIBUTES)}"


HAVE_ATTRIBUTES = "only `in` and the named inputs of a block have some: channels, shape, spatial"
"""The help for an attribute of something else."""


@frozen
class CallExpr(Expr):
    """A function of the closed set."""

    function: str
    arguments: tuple[Expr, ...]

    def evaluate(self, scope: Environment) -> Data:
        counts_only = self.function == "len"
        values = [argument.peek(scope) if counts_only else argument.evaluate(scope) for argument in self.arguments]
        spend_lists(self, *values)
        function = FUNCTIONS[self.function]
        try:
            value = function(*values)
        except TypeError:
            shown = ", ".join(show(value) for value in values)
            usage = (function.__doc__ or "").split(":")[0]
            raise self.wrong(f"{self.function}({shown}) is not valid", f"usage: {usage}") from None
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise self.wrong(f"{self.function}: {error}") from None
        return bounded_list(self, value) if isinstance(value, tuple) else bounded(self, value)


def need_number(term: Expr, value: Data) -> int | float:
    """The value of a term, which must be a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        help = value if isinstance(value, Bare) else None
        raise term.wrong(f"expected a number, got {show(value)}", help)
    return value


def need_truth(term: Expr, value: Data) -> bool:
    """The value of a term, which must be true or false."""
    if not isinstance(value, bool):
        help = value if isinstance(value, Bare) else "compare it with a value"
        raise term.wrong(f"expected true or false, got {show(value)}", help)
    return value


def bounded(term: Expr, value: Data) -> Data:
    """The value of a term, which must not be too large."""
    if isinstance(value, int | float) and not abs(value) < MAX_INTEGER:
        raise term.wrong("the result is too large")
    return value


def bounded_list(term: Expr, value: tuple[Data, ...]) -> Data:
    """The list that a term makes, which must not be too long or too deep; its entries are counted as work."""
    entries, fault = list_size(value)
    if fault is not None:
        raise term.wrong(fault)
    spend(term, entries)
    return value


def spend_lists(term: Expr, *values: Data) -> None:
    """Count the entries of the lists among some values, which are gone through."""
    for value in values:
        if isinstance(value, tuple):
            spend(term, list_size(value)[0])


def spend(term: Expr, entries: int) -> None:
    """Count the entries of lists that the evaluation of a term goes through."""
    if not work.spend(entries):
        raise term.wrong(
            f"the expressions go through more than {work.MAX_WORK:,} entries of lists", "use shorter lists"
        )


def is_text(value: Data) -> bool:
    """Whether a value is a text; a bare word that resembles a name is a slip."""
    return isinstance(value, str) and not (isinstance(value, Bare) and value.meant)
