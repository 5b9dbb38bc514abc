"""The expressions of a spec: a small closed language, parsed and evaluated here, in bounds.

    4 * width        2 if i == 0 else 1        stride != 1 or in.channels != width        divisible(1.4 * width, 8)

Values are numbers, true and false, null, text and lists. Names are params, arguments, indices, and the inputs: those
that a block names, and `in`, the value flowing in (`in.channels`, `in.shape`, `in.spatial`). Operators are Python's,
with Python's precedence. Whole numbers stay below 2**63 in size, lists below 10,000 entries, an expression below 500
characters and 25 levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from archspec.diagnostics import did_you_mean
from archspec.frontend.expressions import ast
from archspec.frontend.expressions.ast import (
    HAVE_ATTRIBUTES,
    INPUT_ATTRIBUTES,
    Expr,
    Expression,
    ExpressionError,
    attributes_help,
)
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.expressions.lists import ComprehensionExpr, IndexExpr, ListExpr, SliceExpr
from archspec.frontend.expressions.operators import ArithmeticExpr, ChoiceExpr, CompareExpr, LogicExpr, UnaryExpr
from archspec.frontend.expressions.values import MAX_INTEGER
from archspec.frontend.foreign_names import attribute_help, function_help
from archspec.frozen import frozen

MAX_LENGTH = 500
MAX_DEPTH = 25

ReadText = Callable[[int, int, str], "tuple[Expr, frozenset[str]]"]
"""Reads what the quotes of a text hold, given where the text starts and stops: its term, and the names it reads."""


@lru_cache(maxsize=4096)
def parse(text: str, read_text: ReadText | None = None) -> Expression:
    """The expression a text holds.

    Args:
        text: the text.
        read_text: reads a text in quotes that contains a dollar sign; None if it stands for itself.

    Raises:
        ExpressionError: it holds none, or one that is too long or too deep.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text):,} characters; at most {MAX_LENGTH} are allowed", 0, 1)
    if NAME.fullmatch(text) and text not in RESERVED:  # most are a name
        return Expression(text, frozenset((text,)), ast.NameExpr(0, len(text), text))
    parser = _ExpressionParser(text, read_text)
    root = parser.whole()
    return Expression(text, frozenset(parser.names), root)


NAME = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
  | (?P<name>[^\W\d]\w*)
  | (?P<text>'[^']*'|"[^"]*")
  | (?P<sign>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],.:])
  | (?P<foreign>&&|\|\||[!=^?])
  | (?P<end>\Z)
  | (?P<strange>.)
)""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))
_LITERALS: Mapping[str, bool | None] = {"true": True, "false": False, "True": True, "False": False, "null": None}
_WORDS = frozenset(("and", "or", "not", "if", "else", "in", "for"))
_MEANT = {"&&": "and", "||": "or", "!": "not", "=": "==", "^": "**", "?": "a if condition else b"}

_BY_X = re.compile(r"x[0-9]+")  # as in 3x3
_CURLY = "\u201c\u201d\u201e\u2018\u2019"

RESERVED = _WORDS | _LITERALS.keys()
"""Words that mean something in every expression, so that nothing can be named by them."""


@frozen
class _Token:
    kind: str
    text: str
    start: int
    stop: int


class _ExpressionParser:
    """Recursive descent, a method a level of precedence, weakest first."""

    def __init__(self, text: str, read_text: ReadText | None) -> None:
        self.read_text = read_text
        self.tokens = [
            _Token(
                str(match.lastgroup), match.group(match.lastgroup or 0), match.start(match.lastgroup or 0), match.end()
            )
            for match in _TOKEN.finditer(text)
        ]
        self.at = 0
        self.depth = 0
        self.names: set[str] = set()

    def whole(self) -> Expr:
        if self.next.kind == "end":
            raise ExpressionError("expected an expression", 0, 1)
        term = self.choice()
        if self.next.kind != "end":
            raise self.unexpected("an operator or the end")
        return term

    def choice(self) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(
                f"the expression is nested more than {MAX_DEPTH} deep", self.next.start, self.next.stop
            )
        term = self.either()
        if self.take("if"):
            condition = self.either()
            self.need("else")
            otherwise = self.choice()
            term = ChoiceExpr(term.start, otherwise.stop, term, condition, otherwise)
        self.depth -= 1
        return term

    def either(self) -> Expr:
        term = self.both()
        while self.take("or"):
            right = self.both()
            term = LogicExpr(term.start, right.stop, "or", term, right)
        return term

    def both(self) -> Expr:
        term = self.negation()
        while self.take("and"):
            right = self.negation()
            term = LogicExpr(term.start, right.stop, "and", term, right)
        return term

    def negation(self) -> Expr:
        start = self.next.start
        flips = 0
        while self.take("not"):
            flips += 1
        term = self.comparison()
        return UnaryExpr(start, term.stop, "not", term) if flips % 2 else term

    def comparison(self) -> Expr:
        operands, operators = [self.sum()], list[str]()
        while (operator := self.comparing()) is not None:
            operators.append(operator)
            operands.append(self.sum())
        if not operators:
            return operands[0]
        return CompareExpr(operands[0].start, operands[-1].stop, tuple(operands), tuple(operators))

    def comparing(self) -> str | None:
        if self.next.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return "not in"
        if self.next.kind != "text" and self.next.text in _COMPARISONS:
            self.at += 1
            return self.tokens[self.at - 1].text
        return None

    def sum(self) -> Expr:
        return self.chain(self.product, "+", "-")

    def product(self) -> Expr:
        return self.chain(self.sign, "*", "/", "//", "%")

    def chain(self, operand: Callable[[], Expr], *operators: str) -> Expr:
        term = operand()
        while operator := self.take(*operators):
            right = operand()
            term = ArithmeticExpr(term.start, right.stop, operator, term, right)
        return term

    def sign(self) -> Expr:
        start = self.next.start
        negative = signs = 0
        while sign := self.take("-", "+"):
            signs += 1
            negative += sign == "-"
        term = self.power()
        return UnaryExpr(start, term.stop, "-" if negative % 2 else "+", term) if signs else term

    def power(self) -> Expr:
        base = self.item()
        if not self.take("**"):
            return base
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep", base.start, base.stop)
        exponent = self.sign()
        self.depth -= 1
        return ArithmeticExpr(base.start, exponent.stop, "**", base, exponent)

    def item(self) -> Expr:
        term = self.atom()
        while self.take("["):
            first = None if self.next.text == ":" else self.choice()
            if self.take(":"):
                last = None if self.next.text == "]" else self.choice()
                term = SliceExpr(term.start, self.need("]"), term, first, last)
            else:
                assert first is not None
                term = IndexExpr(term.start, self.need("]"), term, first)
        return term

    def atom(self) -> Expr:
        token = self.next
        if token.kind == "number":
            self.at += 1
            return ast.LiteralExpr(token.start, token.stop, self.number(token))
        if token.kind == "text":
            self.at += 1
            return self.text(token)
        if token.kind == "name":
            return self.name()
        if self.take("("):
            term = self.choice()
            self.need(")")
            return term
        if self.take("["):
            items = self.items("]", token.start)
            if isinstance(items, ComprehensionExpr):
                return items
            return ListExpr(token.start, self.tokens[self.at - 1].stop, items)
        raise self.unexpected("a number or a name")

    def text(self, token: _Token) -> Expr:
        text = token.text[1:-1]
        if self.read_text is None or "$" not in text:
            return ast.LiteralExpr(token.start, token.stop, text)
        term, names = self.read_text(token.start, token.stop, text)
        self.names |= names
        return term

    def comprehension(self, start: int, item: Expr, read: set[str], closing: str) -> ComprehensionExpr:
        """What follows `item for`; `read` are the names that the item reads."""
        names = self.targets()
        source = self.either()
        outer, self.names = self.names, read
        condition = self.either() if self.take("if") else None
        self.names = outer | (self.names - set(names))
        if self.next.text == "for":
            message, help = "a list is made with one 'for'", "put a list inside: [[... for b in second] for a in first]"
            raise ExpressionError(message, self.next.start, self.next.stop, help)
        return ComprehensionExpr(start, self.need(closing), item, names, source, condition)

    def targets(self) -> tuple[str, ...]:
        """The names between `for` and `in`."""
        names: list[str] = []
        while not names or self.take(","):
            token = self.next
            if token.kind != "name" or token.text in RESERVED:
                raise self.unexpected("a name")
            if token.text in names:
                raise ExpressionError(f"'{token.text}' is listed twice", token.start, token.stop, "choose another name")
            names.append(token.text)
            self.at += 1
        self.need("in")
        return tuple(names)

    def name(self) -> Expr:
        token = self.next
        self.at += 1
        if token.text in _LITERALS:
            return ast.LiteralExpr(token.start, token.stop, _LITERALS[token.text])
        if token.text == "in" and self.take("."):
            return self.input_attribute(token)
        if token.text == "in":
            raise ExpressionError("'in' is not a value by itself", token.start, token.stop, attributes_help("in"))
        if token.text in _WORDS:
            self.at -= 1
            raise self.unexpected("a number or a name")
        if self.take("("):
            return self.call(token)
        if self.next.text == ".":
            after = self.tokens[self.at + 1].text
            if after in INPUT_ATTRIBUTES:
                self.at += 1
                return self.input_attribute(token)
            help = attribute_help(token.text, after, FUNCTIONS, INPUT_ATTRIBUTES) or HAVE_ATTRIBUTES
            raise ExpressionError(f"'{token.text}' has no attributes", token.start, self.next.stop, help)
        self.names.add(token.text)
        return ast.NameExpr(token.start, token.stop, token.text)

    def input_attribute(self, token: _Token) -> Expr:
        attribute = self.next
        if attribute.kind != "name" or attribute.text not in INPUT_ATTRIBUTES:
            help = did_you_mean(f"in.{attribute.text}", [f"in.{name}" for name in INPUT_ATTRIBUTES])
            raise ExpressionError(f"the input has no '{attribute.text}'", token.start, attribute.stop, help)
        self.at += 1
        self.names.add(token.text)
        return ast.AttributeExpr(token.start, attribute.stop, token.text, attribute.text)

    def call(self, token: _Token) -> Expr:
        if token.text not in FUNCTIONS:
            help = function_help(token.text, FUNCTIONS)
            raise ExpressionError(f"there is no function '{token.text}'", token.start, token.stop, help)
        items = self.items(")", self.next.start)
        arguments = (items,) if isinstance(items, ComprehensionExpr) else items
        return ast.CallExpr(token.start, self.tokens[self.at - 1].stop, token.text, arguments)

    def items(self, closing: str, start: int) -> tuple[Expr, ...] | ComprehensionExpr:
        """Terms with commas between them, or `item for name in list if condition`, up to the closing bracket."""
        items: list[Expr] = []
        outer, self.names = self.names, set()
        while not self.take(closing):
            items.append(self.choice())
            if len(items) == 1 and self.take("for"):
                inside, self.names = self.names, outer
                return self.comprehension(start, items[0], inside, closing)
            if not self.take(","):
                self.need(closing)
                break
        self.names |= outer
        return tuple(items)

    def number(self, token: _Token) -> int | float:
        text = token.text.replace("_", "")
        if text.isdecimal():
            if len(text) > 19 or int(text) >= MAX_INTEGER:
                raise ExpressionError("the number is too large", token.start, token.stop)
            return int(text)
        number = float(text)
        if not number < MAX_INTEGER:
            raise ExpressionError("the number is too large", token.start, token.stop)
        return number

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *texts: str) -> str | None:
        if self.next.kind in ("name", "sign") and self.next.text in texts:
            self.at += 1
            return self.tokens[self.at - 1].text
        return None

    def need(self, text: str) -> int:
        if not self.take(text):
            raise self.unexpected(f"'{text}'")
        return self.tokens[self.at - 1].stop

    def unexpected(self, wanted: str) -> ExpressionError:
        token = self.next
        stop = max(token.stop, token.start + 1)
        if token.text in ("'", '"'):
            return ExpressionError("unclosed quote", token.start, stop)
        got = "the end" if token.kind == "end" else f"'{token.text}'"
        return ExpressionError(f"expected {wanted}, got {got}", token.start, stop, self.hint(wanted))

    def hint(self, wanted: str) -> str | None:
        """A suggestion for the next token if it is not allowed here."""
        token = self.next
        halved = token.kind == "end" and [each.kind for each in self.tokens] == ["sign", "number", "end"]
        if wanted == "')'" and (token.text == "," or halved):  # YAML parts (3,3) within braces
            return "write lists in square brackets: [3, 3]"
        if wanted == "'in'" and token.kind == "end":  # YAML parts `a, b` within braces
            return "put quotes around an expression with commas"
        if token.text == "for" and token.kind == "name":
            return "write [... for name in list], in brackets of its own"
        numbers = [each.text for each in self.tokens if each.kind == "number"]
        others = {each.text for each in self.tokens if each.kind not in ("number", "end")}
        if len(numbers) > 1 and others <= {","}:
            return f"write a list in square brackets: [{', '.join(numbers)}]"
        if self.at and self.tokens[self.at - 1].kind == "number" and token.kind == "name":
            by = _BY_X.fullmatch(token.text)
            return "write a list as [3, 3] and multiplication as *" if by else "write multiplication as *"
        if token.kind == "strange" and token.text in _CURLY:
            return "use straight quotes, or none"
        if token.text in ("{", "}"):
            return "write the name without braces"
        return f"write {_MEANT[token.text]}" if token.kind == "foreign" else None
