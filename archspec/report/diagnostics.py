"""Diagnostics in colour, for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from rich.text import Text


def coloured(found: Diagnostic) -> Text:
    """What `render` says, with the position, the code, the carets and the help set apart."""
    from rich.text import Text

    style = "bold red" if found.severity == "error" else "bold yellow"
    text = Text(found.render())
    text.highlight_regex(r"\A.*?(?=(error|warning)\[)", "bold")
    text.highlight_regex(rf"{found.severity}\[{found.code}\]", style)
    text.highlight_regex(r"(?m)^ *\d* \|", "dim")
    text.highlight_regex(r"(?m)(?<=\|)[ \t]*\^+$", style)
    text.highlight_regex(r"(?m)^    help:", "bold cyan")
    return text
