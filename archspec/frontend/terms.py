"""The syntax tree of expressions, and what each term is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from archspec.diagnostics import nearest
from archspec.frontend.functions import FUNCTIONS
from archspec.frontend.values import MAX_INTEGER, MAX_LIST, Data, show, whole


class ExpressionError(Exception):
    """Something is wrong at `start` to `stop`, counted in characters from the start of the expression."""

    def __init__(self, message: str, start: int, stop: int, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.stop, self.help = message, start, stop, help


class UnknownName(ExpressionError):
    """An expression names what nobody defined."""


@dataclass(frozen=True, slots=True)
class Inflow:
    """The value flowing in, as expressions see it: sizes without the batch axis."""

    sizes: tuple[int, ...]

    def attribute(self, name: str) -> Data:
        if name == "shape":
            return self.sizes
        if name == "channels" and self.sizes:
            return self.sizes[0]
        if name == "spatial" and self.sizes:
            return self.sizes[1:]
        raise KeyError(name)


INFLOW_ATTRIBUTES = ("channels", "shape", "spatial")

Scope = Mapping[str, Any]
"""What names stand for: `Data`, or an `Inflow` under the name `in`."""


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression, from `start` to `stop`."""

    start: int
    stop: int

    def evaluate(self, scope: Scope) -> Data:
        raise NotImplementedError

    def wrong(self, message: str, help: str | None = None) -> ExpressionError:
        return ExpressionError(message, self.start, self.stop, help)


@dataclass(frozen=True, slots=True)
class Literal(Term):
    """A number, a text, true or false."""

    value: Data

    def evaluate(self, scope: Scope) -> Data:
        return self.value


@dataclass(frozen=True, slots=True)
class Name(Term):
    """What a name stands for."""

    name: str

    def evaluate(self, scope: Scope) -> Data:
        if self.name in scope:
            value = scope[self.name]
            if isinstance(value, Inflow):
                raise self.wrong("'in' is not a number", f"ask for {either(f'in.{a}' for a in INFLOW_ATTRIBUTES)}")
            return cast(Data, value)
        known = [name for name in scope if name != "in"]
        close = nearest(self.name, known)
        names = f"known here: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else None
        raise UnknownName(
            f"nothing here is called '{self.name}'",
            self.start,
            self.stop,
            f"did you mean '{close}'?" if close else names,
        )


@dataclass(frozen=True, slots=True)
class Attribute(Term):
    """A fact of the value flowing in."""

    name: str

    def evaluate(self, scope: Scope) -> Data:
        if "in" not in scope:
            raise self.wrong("nothing flows in here, so `in` means nothing")
        try:
            return cast(Inflow, scope["in"]).attribute(self.name)
        except KeyError:
            raise self.wrong(f"what flows in has no {self.name}") from None


@dataclass(frozen=True, slots=True)
class List(Term):
    """A list of terms."""

    items: tuple[Term, ...]

    def evaluate(self, scope: Scope) -> Data:
        return tuple(item.evaluate(scope) for item in self.items)


@dataclass(frozen=True, slots=True)
class Index(Term):
    """One entry of a list."""

    value: Term
    index: Term

    def evaluate(self, scope: Scope) -> Data:
        value, index = self.value.evaluate(scope), self.index.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list, so it has no entries to ask for")
        place = whole(index)
        if place is None:
            raise self.index.wrong(f"an entry is asked for by a whole number, not by {show(index)}")
        if not -len(value) <= place < len(value):
            raise self.index.wrong(f"entry {place} of a list of {len(value)}", _range_help(len(value)))
        return value[place]


@dataclass(frozen=True, slots=True)
class Slice(Term):
    """A run of entries of a list."""

    value: Term
    first: Term | None
    last: Term | None

    def evaluate(self, scope: Scope) -> Data:
        value = self.value.evaluate(scope)
        if not isinstance(value, tuple):
            raise self.value.wrong(f"{show(value)} is not a list, so it has no entries to ask for")
        return value[self.bound(self.first, scope) : self.bound(self.last, scope)]

    def bound(self, term: Term | None, scope: Scope) -> int | None:
        if term is None:
            return None
        place = whole(value := term.evaluate(scope))
        if place is None:
            raise term.wrong(f"a list is cut at a whole number, not at {show(value)}")
        return place


@dataclass(frozen=True, slots=True)
class Unary(Term):
    """A sign, or `not`."""

    operator: str
    operand: Term

    def evaluate(self, scope: Scope) -> Data:
        value = self.operand.evaluate(scope)
        if self.operator == "not":
            return not _truth(self.operand, value)
        number = _number(self.operand, value)
        return -number if self.operator == "-" else number


@dataclass(frozen=True, slots=True)
class Logic(Term):
    """`and`, `or`: the right side counts only when the left does not decide."""

    operator: str
    left: Term
    right: Term

    def evaluate(self, scope: Scope) -> Data:
        left = _truth(self.left, self.left.evaluate(scope))
        if left == (self.operator == "or"):
            return left
        return _truth(self.right, self.right.evaluate(scope))


@dataclass(frozen=True, slots=True)
class Compare(Term):
    """A chain: a < b <= c holds when each pair does."""

    operands: tuple[Term, ...]
    operators: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Data:
        left = self.operands[0].evaluate(scope)
        for operator, term in zip(self.operators, self.operands[1:], strict=True):
            right = term.evaluate(scope)
            if not self.holds(operator, left, right, term):
                return False
            left = right
        return True

    def holds(self, operator: str, left: Data, right: Data, term: Term) -> bool:
        if operator in ("==", "!="):
            same = isinstance(left, bool) == isinstance(right, bool) and left == right
            return same == (operator == "==")
        if operator in ("in", "not in"):
            if not isinstance(right, tuple):
                raise term.wrong(f"'{operator}' looks through a list, and {show(right)} is none")
            return (left in right) == (operator == "in")
        for value in (left, right):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self.wrong(f"'{operator}' compares numbers, not {show(value)}")
        return bool(_ORDER[operator](left, right))


@dataclass(frozen=True, slots=True)
class Arithmetic(Term):
    """Two operands; lists can be joined and repeated."""

    operator: str
    left: Term
    right: Term

    def evaluate(self, scope: Scope) -> Data:
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
            raise self.wrong(f"{self.text(a, b)} is too large a number") from None
        return _bounded(self, value)

    def lists(self, left: Data, right: Data) -> Data:
        if self.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
            return _bounded_list(self, left + right)
        if self.operator == "*":
            items, times = (left, right) if isinstance(left, tuple) else (right, left)
            count = whole(times)
            if isinstance(items, tuple) and count is not None:
                if count * len(items) > MAX_LIST:
                    raise self.wrong(f"a list of {count * len(items):,} entries; at most {MAX_LIST:,} are allowed")
                return items * count
        raise self.wrong(
            f"'{self.operator}' cannot take {show(left)} and {show(right)}",
            "lists can be joined with + and repeated with *",
        )

    def check_power(self, base: float, exponent: float) -> None:
        if abs(base) > 1 and abs(exponent) * math.log2(abs(base)) > 64:
            raise self.wrong(f"{self.text(base, exponent)} is too large a number")
        if base < 0 and not float(exponent).is_integer():
            raise self.wrong(f"{self.text(base, exponent)} is not a real number")

    def text(self, left: float, right: float) -> str:
        return f"{show(left)} {self.operator} {show(right)}"


@dataclass(frozen=True, slots=True)
class Choice(Term):
    """`a if condition else b`."""

    chosen: Term
    condition: Term
    otherwise: Term

    def evaluate(self, scope: Scope) -> Data:
        holds = _truth(self.condition, self.condition.evaluate(scope))
        return (self.chosen if holds else self.otherwise).evaluate(scope)


@dataclass(frozen=True, slots=True)
class Call(Term):
    """A function of the closed set."""

    function: str
    arguments: tuple[Term, ...]

    def evaluate(self, scope: Scope) -> Data:
        values = [argument.evaluate(scope) for argument in self.arguments]
        function = FUNCTIONS[self.function]
        try:
            value = function(*values)
        except TypeError:
            shown = ", ".join(show(value) for value in values)
            usage = (function.__doc__ or "").split(":")[0]
            raise self.wrong(f"{self.function}({shown}) makes no sense", f"it is used as {usage}") from None
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


def _number(term: Term, value: Data) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise term.wrong(f"a number is needed here, not {show(value)}")
    return value


def _truth(term: Term, value: Data) -> bool:
    if not isinstance(value, bool):
        raise term.wrong(f"true or false is needed here, not {show(value)}", "compare it with something")
    return value


def _bounded(term: Term, value: Data) -> Data:
    if isinstance(value, int | float) and not abs(value) < MAX_INTEGER:
        raise term.wrong("the number gets too large")
    return value


def _bounded_list(term: Term, value: tuple[Data, ...]) -> Data:
    if len(value) > MAX_LIST:
        raise term.wrong(f"a list of {len(value):,} entries; at most {MAX_LIST:,} are allowed")
    return value


def _range_help(length: int) -> str:
    return f"entries count from 0 to {length - 1}" if length else "the list is empty"


def either(words: Iterable[str]) -> str:
    """Words with commas and an `or`."""
    *most, last = words
    return f"{', '.join(most)} or {last}"
