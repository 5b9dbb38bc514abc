"""The syntax tree of expressions, and the evaluation of each node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, cast

from archspec.diagnostics import MOST_COMPARED
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.expressions.values import (
    INVALID,
    MAX_INTEGER,
    MAX_LIST,
    Bare,
    Data,
    Invalid,
    excess,
    show,
    spell,
    whole,
)
from archspec.frontend.foreign_names import name_help
from archspec.frozen import frozen


class ExpressionError(Exception):
    """Something is wrong at `start` to `stop`, counted in characters from the start of the expression.

    `help` may be a `Bare` word from another place: its text then depends on the source of the diagnostic.
    """

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
    """The input values as expressions see them: sizes without the batch axis.

    `on_read` is called with the name of each attribute that an expression reads.
    """

    shapes: tuple[tuple[int, ...], ...]
    on_read: Callable[[str], None] | None = None

    def attribute(self, name: str) -> Data:
        """A fact all the values share.

        Raises:
            ValueError: there is no such fact, or each value has another.
        """
        if self.on_read is not None:
            self.on_read(name)
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


INPUT_ATTRIBUTES = ("channels", "shape", "spatial")

Environment = Mapping[str, Any]
"""Values of names: `Data`, or `INVALID`, or an `InputValue` under the name `in`."""


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

    def wrong(self, message: str, help: str | None = None) -> ExpressionError:
        return ExpressionError(message, self.start, self.stop, help)


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
            return cast(Data, look_up(self.name, scope))
        help = name_help(self.name, sorted(name for name in islice(scope, MOST_COMPARED) if name != "in"))
        raise UnknownName(f"unknown name '{self.name}'", self.start, self.stop, help)


@frozen
class AttributeExpr(Expr):
    """An attribute of the input value."""

    name: str

    def evaluate(self, scope: Environment) -> Data:
        if "in" not in scope:
            raise self.wrong(
                "`in` is not available here",
                "use it in `when`, attributes, arguments, `times` and `over`",
            )
        try:
            return cast(InputValue, scope["in"]).attribute(self.name)
        except ValueError as error:
            raise self.wrong(str(error)) from None


@frozen
class ListExpr(Expr):
    """A list of terms."""

    items: tuple[Expr, ...]

    def evaluate(self, scope: Environment) -> Data:
        return _bounded_list(self, tuple(item.evaluate(scope) for item in self.items))


@frozen
class IndexExpr(Expr):
    """One entry of a list."""

    value: Expr
    index: Expr

    def evaluate(self, scope: Environment) -> Data:
        value, index = self.value.evaluate(scope), self.index.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list and cannot be indexed")
        place = whole(index)
        if place is None:
            raise self.index.wrong(f"an index is a whole number, not {show(index)}")
        if not -len(value) <= place < len(value):
            raise self.index.wrong(
                f"index {place} is out of range for a list of length {len(value)}", _range_help(len(value))
            )
        return value[place]


@frozen
class SliceExpr(Expr):
    """A run of entries of a list."""

    value: Expr
    first: Expr | None
    last: Expr | None

    def evaluate(self, scope: Environment) -> Data:
        value = self.value.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list and cannot be indexed")
        return value[self.bound(self.first, scope) : self.bound(self.last, scope)]

    def bound(self, term: Expr | None, scope: Environment) -> int | None:
        if term is None:
            return None
        place = whole(value := term.evaluate(scope))
        if place is None:
            raise term.wrong(f"a slice bound is a whole number, not {show(value)}")
        return place


@frozen
class UnaryExpr(Expr):
    """A sign, or `not`."""

    operator: str
    operand: Expr

    def evaluate(self, scope: Environment) -> Data:
        value = self.operand.evaluate(scope)
        if self.operator == "not":
            return not _truth(self.operand, value)
        number = _number(self.operand, value)
        return -number if self.operator == "-" else number


@frozen
class LogicExpr(Expr):
    """`and`, `or`: the right side counts only when the left does not decide."""

    operator: str
    left: Expr
    right: Expr

    def evaluate(self, scope: Environment) -> Data:
        left = _truth(self.left, self.left.evaluate(scope))
        if left == (self.operator == "or"):
            return left
        return _truth(self.right, self.right.evaluate(scope))


@frozen
class CompareExpr(Expr):
    """A chain: a < b <= c holds when each pair does."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]

    def evaluate(self, scope: Environment) -> Data:
        left = self.operands[0].evaluate(scope)
        for operator, term in zip(self.operators, self.operands[1:], strict=True):
            right = term.evaluate(scope)
            if not self.holds(operator, left, right, term):
                return False
            left = right
        return True

    def holds(self, operator: str, left: Data, right: Data, term: Expr) -> bool:
        if operator in ("==", "!="):
            return _same(left, right) == (operator == "==")
        if operator in ("in", "not in"):
            if not isinstance(right, tuple):
                raise term.wrong(f"'{operator}' needs a list on its right, not {show(right)}")
            return any(_same(left, item) for item in right) == (operator == "in")
        for value in (left, right):
            if isinstance(value, bool) or not isinstance(value, int | float):
                help = value if isinstance(value, Bare) else None
                raise self.wrong(f"'{operator}' compares numbers, not {show(value)}", help)
        return bool(_ORDER[operator](left, right))


@frozen
class ArithmeticExpr(Expr):
    """Two operands; lists can be joined and repeated."""

    operator: str
    left: Expr
    right: Expr

    def evaluate(self, scope: Environment) -> Data:
        left, right = self.left.evaluate(scope), self.right.evaluate(scope)
        if isinstance(left, tuple) or isinstance(right, tuple):
            return self.lists(left, right)
        a, b = _number(self.left, left), _number(self.right, right)
        if self.operator == "**":
            self.check_power(a, b)
        try:
            value = _ARITHMETIC[self.operator](a, b)
        except ZeroDivisionError:
            raise self.right.wrong(f"{self.text(a, b)} divides by zero") from None
        except OverflowError:
            raise self.wrong(f"{self.text(a, b)} is too large") from None
        return _bounded(self, value)

    def lists(self, left: Data, right: Data) -> Data:
        if self.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
            return _bounded_list(self, left + right)
        if self.operator == "*":
            items, times = (left, right) if isinstance(left, tuple) else (right, left)
            count = whole(times)
            if isinstance(items, tuple) and count is not None:
                count = max(0, count if items else 0)
                if count * len(items) > MAX_LIST:
                    raise self.wrong(f"a list of {count * len(items):,} entries; at most {MAX_LIST:,} are allowed")
                return _bounded_list(self, items * count)
        raise self.wrong(
            f"'{self.operator}' is not defined for {show(left)} and {show(right)}",
            "lists can be joined with + and repeated with *",
        )

    def check_power(self, base: float, exponent: float) -> None:
        if abs(base) > 1 and abs(exponent) * math.log2(abs(base)) > 64:
            raise self.wrong(f"{self.text(base, exponent)} is too large")
        if base < 0 and not float(exponent).is_integer():
            raise self.wrong(f"{self.text(base, exponent)} is not a real number")

    def text(self, left: float, right: float) -> str:
        base = f"({spell(left)})" if left < 0 and self.operator == "**" else spell(left)
        return f"{base} {self.operator} {spell(right)}"


@frozen
class ChoiceExpr(Expr):
    """`a if condition else b`."""

    chosen: Expr
    condition: Expr
    otherwise: Expr

    def evaluate(self, scope: Environment) -> Data:
        holds = _truth(self.condition, self.condition.evaluate(scope))
        return (self.chosen if holds else self.otherwise).evaluate(scope)


@frozen
class CallExpr(Expr):
    """A function of the closed set."""

    function: str
    arguments: tuple[Expr, ...]

    def evaluate(self, scope: Environment) -> Data:
        values = [argument.evaluate(scope) for argument in self.arguments]
        function = FUNCTIONS[self.function]
        try:
            value = function(*values)
        except TypeError:
            shown = ", ".join(show(value) for value in values)
            usage = (function.__doc__ or "").split(":")[0]
            raise self.wrong(f"{self.function}({shown}) is not valid", f"usage: {usage}") from None
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise self.wrong(f"{self.function}: {error}") from None
        return _bounded_list(self, value) if isinstance(value, tuple) else _bounded(self, value)


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
}


def _same(left: Data, right: Data) -> bool:
    """Whether two values are equal; true and 1 are not, inside lists either."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _number(term: Expr, value: Data) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        help = value if isinstance(value, Bare) else None
        raise term.wrong(f"expected a number, got {show(value)}", help)
    return value


def _truth(term: Expr, value: Data) -> bool:
    if not isinstance(value, bool):
        help = value if isinstance(value, Bare) else "compare it with a value"
        raise term.wrong(f"expected true or false, got {show(value)}", help)
    return value


def _bounded(term: Expr, value: Data) -> Data:
    if isinstance(value, int | float) and not abs(value) < MAX_INTEGER:
        raise term.wrong("the result is too large")
    return value


def _bounded_list(term: Expr, value: tuple[Data, ...]) -> Data:
    if fault := excess(value):
        raise term.wrong(fault)
    return value


def _range_help(length: int) -> str:
    return f"indices run from 0 to {length - 1}" if length else "the list is empty"
