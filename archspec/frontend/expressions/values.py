"""The values of expressions: their types, bounds and spelling."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from archspec.diagnostics import MOST_COMPARED, Source, Span, nearest
from archspec.frontend.yaml.scalars import yes_or_no

Data = int | float | bool | str | None | tuple["Data", ...]
"""A value of an expression; lists are tuples."""

MAX_INTEGER = 2**63
MAX_LIST = 10_000
MAX_LIST_DEPTH = 16
MAX_TEXT = 500


class Invalid(Exception):
    """A value depends on something invalid, whose error was already reported."""


INVALID = object()
"""The value of a name whose own value is an error: reading it raises `Invalid`."""


class Bare(str):
    """An unresolved bare word, with its position and the names in scope if they can be compared with it.

    It is a text, unless a number is required, which makes it an error.
    """

    __slots__ = ("known", "span")
    span: Span
    known: tuple[str, ...]

    @staticmethod
    def at(text: str, span: Span, known: Iterable[str]) -> Bare:
        word = Bare(text)
        names = tuple(islice(known, MOST_COMPARED + 1))
        word.span, word.known = span, names if len(names) <= MOST_COMPARED else ()
        return word

    @property
    def meant(self) -> str | None:
        """What was likely meant by the word: a name nearly the same, or true or false."""
        close = nearest(self, self.known)
        return yes_or_no(self) or (f"did you mean '{close}'?" if close else None)

    @property
    def help(self) -> str:
        """The help for the word where a text is not allowed."""
        return self.meant or f"unknown name '{self}'"

    def help_from(self, source: Source) -> str:
        """What to do about the word, said of another place that uses it, in `source`."""
        help = self.meant or f"unknown name '{self}'"
        return f"see {self.span.seen_from(source)}: {help}"


def show(value: Data) -> str:
    """A value as a message shows it: text in quotes, long ones cut."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        more = f", ... {len(value):,} in all" if len(value) > _SHOWN else ""
        return "[" + ", ".join(map(show, value[:_SHOWN])) + more + "]"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _LONGEST else f"'{value[:_LONGEST]}...'"
    return spell(value)


_SHOWN = 8
_LONGEST = 60


def spell(value: float | bool | str) -> str:
    """A value as the language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def whole(value: Data) -> int | None:
    """The whole number a value is, if it is one: 4, or 4.0."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tidy(value: Data) -> Data:
    """2.0 as 2, because arithmetic with / and ** leaves whole numbers as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, tuple):
        return tuple(map(tidy, value))
    return value


def excess(value: tuple[Data, ...]) -> str | None:
    """What is too much about a list, if anything is: its entries, with those of lists inside it, or its nesting."""
    return list_size(value)[1]


def list_size(value: tuple[Data, ...]) -> tuple[int, str | None]:
    """The entries of a list, with those of lists inside it, and what is too much about it, if anything is."""
    level, entries = value, len(value)
    for _ in range(MAX_LIST_DEPTH):
        if entries > MAX_LIST:
            return entries, f"a list of {entries:,} entries; at most {MAX_LIST:,} are allowed"
        inner = [item for item in level if isinstance(item, tuple)]
        if not inner:
            return entries, None
        entries += sum(map(len, inner))
        level = tuple(item for items in inner for item in items) if entries <= MAX_LIST else ()
    return entries, f"lists are nested more than {MAX_LIST_DEPTH} deep"
