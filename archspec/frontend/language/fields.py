"""Values in a spec as written: constants, expressions, texts and lists of them, with their positions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import final

from archspec.diagnostics import ArchspecError, Diagnostic, Span, did_you_mean, fail
from archspec.frontend.expressions import parser, templates
from archspec.frontend.expressions.ast import Environment, ExpressionError, UnknownName, look_up
from archspec.frontend.expressions.parser import Expression
from archspec.frontend.expressions.templates import Placeholder, TextTemplate
from archspec.frontend.expressions.values import Bare, Data, Invalid, excess, tidy
from archspec.frontend.foreign_names import keyword_help
from archspec.frontend.yaml.scalars import yes_or_no
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.frozen import frozen


@frozen
class Field:
    """A value as written, evaluated where it is used. `names` are the names it reads."""

    span: Span
    names: frozenset[str] = field(default=frozenset(), init=False)

    def evaluate(self, scope: Environment) -> Data:
        """Its value.

        Raises:
            ArchspecError: the expression is wrong here; the span points into it.
            Invalid: it reads a value whose error was already reported.
        """
        raise NotImplementedError  # every kind of field has its own


@final
@frozen
class ConstantField(Field):
    """A number, a truth value, a literal text, or null."""

    value: Data

    def evaluate(self, scope: Environment) -> Data:
        return self.value


@final
@frozen
class InvalidField(Field):
    """A value that could not be read. Its error was already reported."""

    def evaluate(self, scope: Environment) -> Data:
        raise Invalid


@final
@frozen
class ExpressionField(Field):
    """An expression. If it is the value of an attribute that takes `keywords`, too, errors list them."""

    expression: Expression
    scalar: YamlScalar
    keywords: frozenset[str] = frozenset()
    attribute: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.expression.names)

    def evaluate(self, scope: Environment) -> Data:
        try:
            return tidy(self.expression.evaluate(scope))
        except UnknownName as error:
            word = self.scalar.text[error.start : error.stop]
            help = error.help
            if self.keywords:
                known = sorted({*self.keywords, *scope})
                help = did_you_mean(self.scalar.text, known) or did_you_mean(self.scalar.text, sorted(self.keywords))
            if self.keywords and self.attribute is not None and word == self.scalar.text:
                error.message = f"unknown {self.attribute} '{word}'"
            if word in self.keywords:
                help = f"put quotes around the word: '{word}'"
            error.help = yes_or_no(self.scalar.text) or keyword_help(self.scalar.text, self.keywords) or help
            raise expression_failure(error, self.scalar) from error
        except ExpressionError as error:
            raise expression_failure(error, self.scalar) from error


@final
@frozen
class NameOrTextField(Field):
    """A word where a number or a text is expected: the value of that name if there is one, else the word itself."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset((self.text,)))

    def evaluate(self, scope: Environment) -> Data:
        if self.text in scope and self.text != "in":
            return look_up(self.text, scope)  # type: ignore[no-any-return]  # scopes hold data, but for `in`
        return Bare.at(self.text, self.span, scope)


@final
@frozen
class TemplateField(Field):
    """A text with `$name` or `$(expression)` in it."""

    scalar: YamlScalar
    pattern: TextTemplate
    constant: str | None
    """The text, if it has no placeholders."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.pattern.names)

    @property
    def only_hole(self) -> str | None:
        """The expression, if the text is one placeholder and nothing else."""
        match self.pattern.parts:
            case (Placeholder(expression=expression),):
                return expression.text
        return None

    def evaluate(self, scope: Environment) -> Data:
        return self.fill(scope)

    def fill(self, scope: Environment) -> str:
        """The text, filled in."""
        if self.constant is not None:
            return self.constant
        try:
            return self.pattern.fill(scope)
        except ExpressionError as error:
            raise expression_failure(error, self.scalar) from error


@final
@frozen
class ListField(Field):
    """A list of values, not all of them constants."""

    items: tuple[Field, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset().union(*(item.names for item in self.items)))

    def evaluate(self, scope: Environment) -> Data:
        values = tuple(evaluate_all(self.items, lambda item: item.evaluate(scope)))
        if fault := excess(values):
            raise fail("bad-expression", fault, self.span)
        return values


def evaluate_all(items: Iterable[Field], evaluate: Callable[[Field], Data]) -> list[Data]:
    """The values of several fields.

    Raises:
        ArchspecError: the errors of all of them.
    """
    values: list[Data] = []
    faults: list[Diagnostic] = []
    for item in items:
        try:
            values.append(evaluate(item))
        except ArchspecError as error:
            faults += error.diagnostics
    if faults:
        raise ArchspecError(faults)
    return values


def number(tree: Tree, keywords: frozenset[str] = frozenset(), attribute: str | None = None) -> Field:
    """The value where a number, a list, a truth value or one of some keywords is expected.

    Args:
        tree: the YAML of the value.
        keywords: texts that are values themselves, not names.
        attribute: the name of the attribute whose value it is, for messages.

    Raises:
        ArchspecError: an expression that cannot be read, or a mapping.
    """
    if not isinstance(tree, YamlScalar):
        return _list_of(tree, lambda item: number(item, keywords, attribute))
    if not isinstance(tree.value, str) or tree.text in keywords:
        return ConstantField(tree.span, tidy(tree.value))
    return template(tree) if "$" in tree.text else _computed(tree, keywords, attribute)


def value(tree: Tree) -> Field:
    """The value where any kind of value is allowed: a param, or an argument of a block.

    Raises:
        ArchspecError: an expression that cannot be read, or a mapping.
    """
    if not isinstance(tree, YamlScalar):
        return _list_of(tree, value)
    if not isinstance(tree.value, str):
        return ConstantField(tree.span, tidy(tree.value))
    if "$" in tree.text:
        return template(tree)
    return NameOrTextField(tree.span, tree.text) if parser.NAME.fullmatch(tree.text) else _computed(tree)


def _list_of(tree: YamlList | YamlMapping, read: Callable[[Tree], Field]) -> Field:
    if isinstance(tree, YamlMapping):
        raise fail("wrong-type", "a number, a text or a list is expected here, not a mapping", tree.span)
    items = tuple(read(item) for item in tree.items)
    if all(isinstance(item, ConstantField) for item in items):
        return ConstantField(tree.span, tuple(item.evaluate({}) for item in items))
    return ListField(tree.span, items)


def template(scalar: YamlScalar) -> TemplateField:
    """A text to be filled in.

    Raises:
        ArchspecError: what follows a dollar sign cannot be read.
    """
    try:
        pattern = templates.parse(scalar.text)
    except ExpressionError as error:
        raise expression_failure(error, scalar) from error
    return TemplateField(scalar.span, scalar, pattern, pattern.constant)


def _computed(
    scalar: YamlScalar, keywords: frozenset[str] = frozenset(), attribute: str | None = None
) -> ExpressionField:
    try:
        return ExpressionField(scalar.span, parser.parse(scalar.text), scalar, keywords, attribute)
    except ExpressionError as error:
        error.help = error.help or _trap(scalar.text)
        raise expression_failure(error, scalar) from error


def _trap(text: str) -> str | None:
    """The help for texts that older YAML, or other programs, take for numbers."""
    if _BASE_SIXTY.fullmatch(text):
        return "YAML 1.2 has no base-60 numbers; write the number itself"
    return "numbers must be finite" if text.lower().lstrip("+-") in (".inf", ".nan") else None


_BASE_SIXTY = re.compile(r"[-+]?[0-9]+(:[0-9]+)+")


def expression_failure(error: ExpressionError, scalar: YamlScalar) -> ArchspecError:
    """The diagnostic of an expression that went wrong, with the caret under the part that did."""
    code = "unknown-name" if isinstance(error, UnknownName) else "bad-expression"
    span = scalar.span
    if scalar.plain:
        span = span.inside(error.start, error.stop)
    elif span.line == span.end_line and len(scalar.text) + 2 == span.end_column - span.column:
        span = span.inside(error.start + 1, error.stop + 1)  # in quotes, and nothing in it is escaped
    help = error.help.help_from(span.source) if isinstance(error.help, Bare) else error.help
    return fail(code, error.message, span, help=help)
