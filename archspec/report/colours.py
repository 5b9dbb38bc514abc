"""Styles of text on a terminal, as ANSI escape sequences (ECMA-48, SGR)."""

from __future__ import annotations

BOLD, DIM = "1", "2"
BOLD_RED, BOLD_YELLOW, BOLD_CYAN = "1;31", "1;33", "1;36"


def styled(text: str, style: str) -> str:
    """A text in a style; the style ends with the text."""
    return f"\x1b[{style}m{text}\x1b[0m"
