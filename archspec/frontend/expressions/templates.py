"""Texts with expressions in them: `layer$(s + 1)`, `block$i`; `$$` is a dollar sign."""

from __future__ import annotations

import re
from functools import lru_cache

from archspec.frontend.expressions import parser
from archspec.frontend.expressions.ast import Environment, Expr, Expression, ExpressionError
from archspec.frontend.expressions.parser import MAX_LENGTH, NAME
from archspec.frontend.expressions.values import Data, show, spell
from archspec.frozen import frozen


@frozen
class Placeholder:
    """An expression in a text: the span of the whole placeholder, and the start of the expression in its brackets."""

    start: int
    stop: int
    inside: int
    expression: Expression

    def fill(self, scope: Environment) -> str:
        return self._text(self.evaluate(scope))

    def fill_all(self, scope: Environment) -> tuple[str, ...]:
        """One text, or one per entry of a list."""
        value = self.evaluate(scope)
        return tuple(map(self._text, value)) if isinstance(value, tuple) else (self._text(value),)

    def evaluate(self, scope: Environment) -> Data:
        try:
            return self.expression.evaluate(scope)
        except ExpressionError as error:
            raise error.moved(self.inside) from None

    def _text(self, value: Data) -> str:
        if isinstance(value, tuple | bool) or value is None:
            raise ExpressionError(f"{show(value)} cannot be part of a name", self.start, self.stop)
        return spell(value)


@frozen
class TextTemplate:
    """A text split into literal parts and placeholders."""

    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names its expressions read."""
        return frozenset().union(*(part.expression.names for part in self.parts if isinstance(part, Placeholder)))

    @property
    def constant(self) -> str | None:
        """The text, if it has no placeholders."""
        return None if any(isinstance(part, Placeholder) for part in self.parts) else "".join(map(str, self.parts))

    def fill(self, scope: Environment) -> str:
        """The text with each placeholder replaced by the value of its expression.

        Raises:
            ExpressionError: an expression is wrong, or its value is not text or a number.
        """
        return "".join([part if isinstance(part, str) else part.fill(scope) for part in self.parts])

    def fill_all(self, scope: Environment) -> tuple[str, ...]:
        """The texts: one per entry of a list if the text is a placeholder and nothing else, and its value is a list.

        Raises:
            ExpressionError: as `fill` does, also for the entries of a list.
        """
        match self.parts:
            case (Placeholder() as placeholder,):
                return placeholder.fill_all(scope)
        return (self.fill(scope),)


@lru_cache(maxsize=4096)
def parse(text: str) -> TextTemplate:
    """The literal parts and placeholders of a text.

    Raises:
        ExpressionError: what follows a dollar sign cannot be read.
    """
    parts: list[str | Placeholder] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        if len(text) > MAX_LENGTH:
            raise ExpressionError(
                f"the text has {len(text):,} characters; at most {MAX_LENGTH} are allowed in a template", 0, 1
            )
        parts.append(text[at:dollar])
        if text.startswith("$", dollar + 1):
            parts.append("$")
            at = dollar + 2
        else:
            placeholder = _placeholder(text, dollar)
            parts.append(placeholder)
            at = placeholder.stop
    return TextTemplate(tuple(part for part in (*parts, text[at:]) if part))


_BRACED = re.compile(rf"\{{\s*({NAME.pattern})\s*\}}")
_BRACKETS = re.compile(r"'[^']*'|\"[^\"]*\"|[()]")


def _placeholder(text: str, dollar: int) -> Placeholder:
    """The expression after a dollar sign."""
    start = dollar + 1
    if name := NAME.match(text, start):
        return Placeholder(dollar, name.end(), start, parser.parse(name.group()))
    if not text.startswith("(", start):
        named = _BRACED.match(text, start)
        help = f"write ${named[1]}" if named else "write $$ for a dollar sign"
        raise ExpressionError("'$' must be followed by a name or '('", dollar, start, help)
    level = 0
    for mark in _BRACKETS.finditer(text, start):
        level += {"(": 1, ")": -1}.get(mark.group(), 0)
        if level == 0:
            inner = text[start + 1 : mark.start()]
            try:
                return Placeholder(dollar, mark.end(), start + 1, parser.parse(inner, _text_in_quotes))
            except ExpressionError as error:
                raise error.moved(start + 1) from None
    raise ExpressionError("unclosed '$('", dollar, len(text))


@frozen
class TextExpr(Expr):
    """A text in quotes with expressions in it."""

    template: TextTemplate

    def evaluate(self, scope: Environment) -> Data:
        try:
            return self.template.fill(scope)
        except ExpressionError as error:
            raise error.moved(self.start + 1) from None


def _text_in_quotes(start: int, stop: int, text: str) -> tuple[Expr, frozenset[str]]:
    try:
        template = parse(text)
    except ExpressionError as error:
        raise error.moved(start + 1) from None
    return TextExpr(start, stop, template), template.names
