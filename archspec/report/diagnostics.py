"""Diagnostics in colour, for terminals, and as GitHub shows them."""

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


def for_github(found: Diagnostic) -> str:
    """A diagnostic as a workflow command, which GitHub shows beside the line."""
    facts = found.as_json()
    text = "\n".join([found.message, *("  ".join(note) for note in found.notes), *filter(None, [found.help])])
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = ",".join(f"{key}={facts[name]}" for key, name in _PLACE.items() if facts[name] is not None)
    return f"::{found.severity} {place + ',' if place else ''}title={found.code}::{escaped}"


_PLACE = {"file": "file", "line": "line", "col": "column", "endLine": "end_line", "endColumn": "end_column"}
