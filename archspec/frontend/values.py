"""What expressions are worth: the values, their bounds, and how they are written."""

from __future__ import annotations

from archspec.diagnostics import Span

Data = int | float | bool | str | None | tuple["Data", ...]
"""What an expression can be worth; lists are tuples."""

MAX_LIST = 10_000
MAX_INTEGER = 2**63


class Bare(str):
    """A word nothing is named by, and where it stands: a text, unless a number was needed and it is a mistake."""

    __slots__ = ("span",)
    span: Span

    @staticmethod
    def at(text: str, span: Span) -> Bare:
        word = Bare(text)
        word.span = span
        return word


def show(value: Data, *, quote: bool = True) -> str:
    """A value as the language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "[" + ", ".join(show(item, quote=quote) for item in value) + "]"
    if isinstance(value, str):
        return f"'{value}'" if quote else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def whole(value: Data) -> int | None:
    """The whole number a value is, if it is one: 4, or 4.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)
