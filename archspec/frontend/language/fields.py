"""Values in a spec as written: constants, expressions, texts and lists of them, with their positions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import final

from archspec.diagnostics import MOST_COMPARED, ArchspecError, Diagnostic, Edit, Span, did_you_mean, fail, nearest
from archspec.frontend.expressions import parser, templates
from archspec.frontend.expressions.ast import Environment, Expression, ExpressionError, InputValue, UnknownName, look_up
from archspec.frontend.expressions.templates import Placeholder, TextTemplate
from archspec.frontend.expressions.unquoted import quoted
from archspec.frontend.expressions.values import Bare, Data, Invalid, excess, tidy
from archspec.frontend.foreign_names import keyword_help
from archspec.frontend.yaml.scalars import yes_or_no
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.frontend.yaml.unquoted import with_quotes
from archspec.frozen import field, frozen, replace


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


@frozen
class Attribute:
    """The attribute of an op that a value is for, as errors name it.

    `keywords` are the texts that it takes, and `keywords_of_others` those of other attributes, with their names.
    `without_value` is the help for someone who means no value.
    """

    name: str
    keywords: frozenset[str] = frozenset()
    without_value: str | None = None
    keywords_of_others: Mapping[str, str] = field(default_factory=dict)


_WORD = re.compile(r"[^\W\d]\w*(-\w+)*")
"""A word, with the hyphens that names in other programs may have."""

_NOTHING = frozenset(("none", "nil", "undefined"))


@final
@frozen
class ExpressionField(Field):
    """An expression, which may be the value of an attribute."""

    expression: Expression
    scalar: YamlScalar
    attribute: Attribute | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.expression.names)

    def evaluate(self, scope: Environment) -> Data:
        try:
            return tidy(self.expression.evaluate(scope))
        except UnknownName as error:
            self._explain(error, scope)
            raise expression_failure(error, self.scalar) from error
        except ExpressionError as error:
            raise expression_failure(error, self.scalar) from error

    def _explain(self, error: UnknownName, scope: Environment) -> None:
        """Give the error of an unknown name the help for what was likely meant."""
        text = self.scalar.text
        word = text[error.start : error.stop]
        keywords = self.attribute.keywords if self.attribute is not None else frozenset[str]()
        known = [name for name in islice(scope, MOST_COMPARED) if name != "in"]
        quoted_text = quoted(text, self.expression.root, known, word)
        if self.attribute is not None and text.lower() in _NOTHING:
            error.help = self.attribute.without_value or error.help
        elif _WORD.fullmatch(text) is None:
            if quoted_text is not None and (word in keywords or nearest(word, known) is None):
                error.help = f"put quotes around a text: {quoted_text}"
                error.whole = quoted_text
        elif self.attribute is not None and keywords:
            error.message, error.start, error.stop = f"unknown {self.attribute.name} '{text}'", 0, len(text)
            help = did_you_mean(text, sorted({*keywords, *known})) or did_you_mean(text, sorted(keywords))
            error.help = yes_or_no(text) or keyword_help(text, keywords) or help
        elif word != text and nearest(word, known) is None:
            error.help = f"a '-' subtracts; put quotes around a text: \"'{text}'\""
            error.whole = f"\"'{text}'\""
        elif self.attribute is not None and text in self.attribute.keywords_of_others:
            other = self.attribute.keywords_of_others[text]
            error.help = f"'{text}' is a value of '{other}': write {other}: {text}"
        else:
            error.help = yes_or_no(text) or error.help
        if error.help is None and self.attribute is not None and not known:
            error.help = f"declare it under 'params': {{{word}: ...}}"


@final
@frozen
class NameOrTextField(Field):
    """A word where a number or a text is expected: the value of that name if there is one, else the word itself."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset((self.text,)))

    def evaluate(self, scope: Environment) -> Data:
        if self.text in scope and not isinstance(scope[self.text], InputValue):
            return look_up(self.text, scope)  # type: ignore[no-any-return]  # scopes hold data, but for inputs
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

    def fill_all(self, scope: Environment) -> tuple[str, ...]:
        """The text, filled in; or several, if it is nothing but a placeholder whose value is a list."""
        if self.constant is not None:
            return (self.constant,)
        try:
            return self.pattern.fill_all(scope)
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


def number(tree: Tree, attribute: Attribute | None = None) -> Field:
    """The value where a number, a list, a truth value or a keyword of an attribute is expected.

    Args:
        tree: the YAML of the value.
        attribute: the attribute whose value it is.

    Raises:
        ArchspecError: an expression that cannot be read, or a mapping.
    """
    if not isinstance(tree, YamlScalar):
        return _list_of(tree, lambda item: number(item, attribute))
    if not isinstance(tree.value, str) or (attribute is not None and tree.text in attribute.keywords):
        return ConstantField(tree.span, tidy(tree.value))
    return template(tree) if "$" in tree.text else _computed(tree, attribute)


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


def _computed(scalar: YamlScalar, attribute: Attribute | None = None) -> ExpressionField:
    try:
        return ExpressionField(scalar.span, parser.parse(scalar.text), scalar, attribute)
    except ExpressionError as error:
        error.help = error.help or _trap(scalar.text)
        failure = expression_failure(error, scalar)
        raise _cut_off(failure, scalar) or failure from error


def _cut_off(failure: ArchspecError, scalar: YamlScalar) -> ArchspecError | None:
    """The error of an expression that YAML ends at a comma in its brackets, as in `{kernel: max(a, 3)}`."""
    opened = sum((mark in "([") - (mark in ")]") for mark in scalar.text)
    if not (opened and scalar.plain):
        return None
    edit = with_quotes(scalar.span.source, scalar.span.line, scalar.span.column - 1)
    if edit is None or not _can_be_read(edit.text.strip('"')):
        return None
    (error,) = failure.diagnostics
    help = f"put quotes around an expression with commas: {edit.text}"
    return ArchspecError([replace(error, help=help, edits=(edit,))])


def _can_be_read(text: str) -> bool:
    try:
        parser.parse(text)
    except ExpressionError:
        return False
    return True


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
    edits = [Edit(scalar.span, error.whole)] if error.whole is not None and scalar.plain else []
    return fail(code, error.message, span, help=help, edits=edits)
