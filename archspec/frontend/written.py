"""What a spec says where a value is expected: constants, expressions, texts and lists of them, with their places."""

from __future__ import annotations

from dataclasses import dataclass

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend import expressions
from archspec.frontend.expressions import Expression
from archspec.frontend.source import Mapping, Scalar, Tree
from archspec.frontend.terms import ExpressionError, Scope, UnknownName
from archspec.frontend.values import Bare, Data


@dataclass(frozen=True, slots=True)
class Written:
    """A value as written, to be worked out where it is used."""

    span: Span

    def evaluate(self, scope: Scope) -> Data:
        """Its worth.

        Raises:
            ArchspecError: the expression is wrong here; the span points into it.
        """
        raise NotImplementedError

    @property
    def names(self) -> frozenset[str]:
        """The names it reads."""
        return frozenset()

    @property
    def constant(self) -> bool:
        """Whether it is worth the same everywhere."""
        return False


@dataclass(frozen=True, slots=True)
class Constant(Written):
    """A number, a truth value, a text that is meant as it stands, or nothing."""

    value: Data

    def evaluate(self, scope: Scope) -> Data:
        return self.value

    @property
    def constant(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Computed(Written):
    """An expression."""

    expression: Expression
    scalar: Scalar

    def evaluate(self, scope: Scope) -> Data:
        try:
            return _whole_if_integral(self.expression.evaluate(scope))
        except ExpressionError as error:
            raise expression_failure(error, self.scalar) from error

    @property
    def names(self) -> frozenset[str]:
        return self.expression.names


@dataclass(frozen=True, slots=True)
class Word(Written):
    """A word where a number or a text may stand: what it names, if it names something, or else itself."""

    text: str

    def evaluate(self, scope: Scope) -> Data:
        return scope[self.text] if self.text in scope and self.text != "in" else Bare.at(self.text, self.span)

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.text,))


@dataclass(frozen=True, slots=True)
class Template(Written):
    """A text with `$name` or `$(expression)` in it."""

    scalar: Scalar

    def evaluate(self, scope: Scope) -> Data:
        return self.fill(scope)

    def fill(self, scope: Scope) -> str:
        """The text, filled in."""
        try:
            return expressions.fill(self.scalar.text, scope)
        except ExpressionError as error:
            raise expression_failure(error, self.scalar) from error

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(expressions.parse(hole).names for hole in expressions.holes(self.scalar.text)))


@dataclass(frozen=True, slots=True)
class ListOf(Written):
    """A list of values."""

    items: tuple[Written, ...]

    def evaluate(self, scope: Scope) -> Data:
        return tuple(item.evaluate(scope) for item in self.items)

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(item.names for item in self.items))

    @property
    def constant(self) -> bool:
        return all(item.constant for item in self.items)


def number(tree: Tree, keywords: frozenset[str] = frozenset()) -> Written:
    """What stands where a number, a list, a truth value or one of some keywords is expected.

    Raises:
        ArchspecError: an expression that cannot be read, or a mapping.
    """
    if isinstance(tree, Scalar):
        if not isinstance(tree.value, str) or tree.text in keywords:
            return Constant(tree.span, tree.value)
        return template(tree) if "$" in tree.text else _computed(tree)
    if isinstance(tree, Mapping):
        raise fail("wrong-type", "a value is expected here, not a mapping", tree.span)
    return ListOf(tree.span, tuple(number(item, keywords) for item in tree.items))


def value(tree: Tree) -> Written:
    """What stands where anything may: a param, or an argument of a block.

    Raises:
        ArchspecError: an expression that cannot be read, or a mapping.
    """
    if isinstance(tree, Scalar):
        if not isinstance(tree.value, str):
            return Constant(tree.span, tree.value)
        if "$" in tree.text:
            return template(tree)
        return Word(tree.span, tree.text) if tree.text.isidentifier() else _computed(tree)
    if isinstance(tree, Mapping):
        raise fail("wrong-type", "a value is expected here, not a mapping", tree.span)
    return ListOf(tree.span, tuple(value(item) for item in tree.items))


def template(scalar: Scalar) -> Template:
    """A text to be filled in.

    Raises:
        ArchspecError: what follows a dollar sign cannot be read.
    """
    try:
        for hole in expressions.holes(scalar.text):
            start = scalar.text.index(hole)
            try:
                expressions.parse(hole)
            except ExpressionError as error:
                error.start, error.stop = error.start + start, error.stop + start
                raise
    except ExpressionError as error:
        raise expression_failure(error, scalar) from error
    return Template(scalar.span, scalar)


def _computed(scalar: Scalar) -> Computed:
    try:
        return Computed(scalar.span, expressions.parse(scalar.text), scalar)
    except ExpressionError as error:
        raise expression_failure(error, scalar) from error


def expression_failure(error: ExpressionError, scalar: Scalar) -> ArchspecError:
    """The diagnostic of an expression that went wrong, with the caret under the part that did."""
    code = "unknown-name" if isinstance(error, UnknownName) else "bad-expression"
    if scalar.plain:
        span = scalar.span.inside(error.start, error.stop)
    elif scalar.span.line == scalar.span.end_line and len(scalar.text) + 2 == _width(scalar.span):
        span = scalar.span.inside(error.start + 1, error.stop + 1)
    else:
        span = scalar.span
    return fail(code, error.message, span, help=error.help)


def _width(span: Span) -> int:
    return span.end_column - span.column


def _whole_if_integral(data: Data) -> Data:
    """2.0 as 2: arithmetic with / and ** leaves whole numbers as floats."""
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, tuple):
        return tuple(_whole_if_integral(item) for item in data)
    return data
