"""Texts with expressions in them: `layer$(s + 1)`, `block$i`; `$$` is a dollar sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from archspec.frontend.expressions import parser
from archspec.frontend.expressions.ast import Environment, ExpressionError
from archspec.frontend.expressions.parser import MAX_LENGTH, NAME, Expression
from archspec.frontend.expressions.values import show, spell


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a text: where the whole of it stands there, and where what is inside the brackets starts."""

    start: int
    stop: int
    inside: int
    expression: Expression

    def fill(self, scope: Environment) -> str:
        try:
            value = self.expression.evaluate(scope)
        except ExpressionError as error:
            raise error.moved(self.inside) from None
        if isinstance(value, tuple | bool) or value is None:
            raise ExpressionError(f"{show(value)} cannot be part of a name", self.start, self.stop)
        return spell(value)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text taken apart: words as they stand, and holes between them."""

    parts: tuple[str | Hole, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names its expressions read."""
        return frozenset().union(*(part.expression.names for part in self.parts if isinstance(part, Hole)))

    @property
    def constant(self) -> str | None:
        """The text, if there are no holes in it."""
        return None if any(isinstance(part, Hole) for part in self.parts) else "".join(map(str, self.parts))

    def fill(self, scope: Environment) -> str:
        """The text with each hole replaced by what its expression is worth.

        Raises:
            ExpressionError: an expression is wrong, or worth no word or number.
        """
        return "".join([part if isinstance(part, str) else part.fill(scope) for part in self.parts])


@lru_cache(maxsize=4096)
def parse(text: str) -> Pattern:
    """The words and holes of a text.

    Raises:
        ExpressionError: what follows a dollar sign cannot be read.
    """
    parts: list[str | Hole] = []
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
            hole = _hole(text, dollar)
            parts.append(hole)
            at = hole.stop
    return Pattern(tuple(part for part in (*parts, text[at:]) if part))


_BRACED = re.compile(rf"\{{\s*({NAME.pattern})\s*\}}")
_BRACKETS = re.compile(r"'[^']*'|\"[^\"]*\"|[()]")


def _hole(text: str, dollar: int) -> Hole:
    """The expression after a dollar sign."""
    start = dollar + 1
    if name := NAME.match(text, start):
        return Hole(dollar, name.end(), start, parser.parse(name.group()))
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
                return Hole(dollar, mark.end(), start + 1, parser.parse(inner))
            except ExpressionError as error:
                raise error.moved(start + 1) from None
    raise ExpressionError("unclosed '$('", dollar, len(text))
