"""Styles of text on a terminal, as ANSI escape sequences (ECMA-48, SGR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BOLD, DIM = "1", "2"
BOLD_RED, BOLD_YELLOW, BOLD_CYAN = "1;31", "1;33", "1;36"


class Styled(NamedTuple):
    """A text and its style on a terminal, if it has one."""

    text: str
    style: str | None = None


Line = str | Sequence[Styled]
"""A line to print: plain text, or texts with styles."""


def escape_sequence(text: str, style: str) -> str:
    """A text with the escape sequences of a style around it."""
    return f"\x1b[{style}m{text}\x1b[0m"
