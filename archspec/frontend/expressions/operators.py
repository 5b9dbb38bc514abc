"""The operators of expressions: signs, logic, comparisons, arithmetic and choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from archspec.frontend.expressions.ast import (
    Environment,
    Expr,
    bounded,
    bounded_list,
    is_text,
    need_number,
    need_truth,
    spend_lists,
)
from archspec.frontend.expressions.values import MAX_LIST, MAX_TEXT, Bare, Data, show, spell, whole
from archspec.frozen import frozen


@frozen
class UnaryExpr(Expr):
    """A sign, or `not`."""

    operator: str
    operand: Expr

    def evaluate(self, scope: Environment) -> Data:
        value = self.operand.evaluate(scope)
        if self.operator == "not":
            return not need_truth(self.operand, value)
        number = need_number(self.operand, value)
        return -number if self.operator == "-" else number


@frozen
class LogicExpr(Expr):
    """`and`, `or`: the right side counts only when the left does not decide."""

    operator: str
    left: Expr
    right: Expr

    def evaluate(self, scope: Environment) -> Data:
        left = need_truth(self.left, self.left.evaluate(scope))
        if left == (self.operator == "or"):
            return left
        return need_truth(self.right, self.right.evaluate(scope))


@frozen
class CompareExpr(Expr):
    """A chain: a < b <= c holds when each pair does."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]

    def evaluate(self, scope: Environment) -> Data:
        left = self.operands[0].evaluate(scope)
        for operator, term in zip(self.operators, self.operands[1:], strict=True):
            right = term.evaluate(scope)
            spend_lists(self, left, right)
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
    """Two operands; lists can be joined and repeated, and texts joined with texts and numbers."""

    operator: str
    left: Expr
    right: Expr

    def evaluate(self, scope: Environment) -> Data:
        left, right = self.left.evaluate(scope), self.right.evaluate(scope)
        if isinstance(left, tuple) or isinstance(right, tuple):
            return self.lists(left, right)
        if self.operator == "+" and (is_text(left) or is_text(right)):
            return self.joined(left, right)
        a, b = need_number(self.left, left), need_number(self.right, right)
        if self.operator == "**":
            self.check_power(a, b)
        try:
            value = _ARITHMETIC[self.operator](a, b)
        except ZeroDivisionError:
            raise self.right.wrong(f"{self.text(a, b)} divides by zero") from None
        except OverflowError:
            raise self.wrong(f"{self.text(a, b)} is too large") from None
        return bounded(self, value)

    def lists(self, left: Data, right: Data) -> Data:
        if self.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
            return bounded_list(self, left + right)
        if self.operator == "*":
            items, times = (left, right) if isinstance(left, tuple) else (right, left)
            count = whole(times)
            if isinstance(items, tuple) and count is not None:
                count = max(0, count if items else 0)
                if count * len(items) > MAX_LIST:
                    raise self.wrong(f"a list of {count * len(items):,} entries; at most {MAX_LIST:,} are allowed")
                return bounded_list(self, items * count)
        raise self.wrong(
            f"'{self.operator}' is not defined for {show(left)} and {show(right)}",
            "lists can be joined with + and repeated with *",
        )

    def joined(self, left: Data, right: Data) -> str:
        for term, value in ((self.left, left), (self.right, right)):
            if not is_text(value):
                need_number(term, value)
        text = "".join(value if isinstance(value, str) else spell(cast(float, value)) for value in (left, right))
        if len(text) > MAX_TEXT:
            raise self.wrong(f"a text of {len(text):,} characters; at most {MAX_TEXT:,} are allowed")
        return text

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
        holds = need_truth(self.condition, self.condition.evaluate(scope))
        return (self.chosen if holds else self.otherwise).evaluate(scope)


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
