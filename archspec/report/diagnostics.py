"""Formats diagnostics: in colour for terminals, and as workflow commands for GitHub."""

from __future__ import annotations

import re

from archspec.diagnostics import Diagnostic
from archspec.report.colours import BOLD, BOLD_CYAN, BOLD_RED, BOLD_YELLOW, DIM, styled


def coloured(diagnostic: Diagnostic) -> str:
    """The rendered diagnostic with its position, code, carets and help in colours."""
    style = BOLD_RED if diagnostic.severity == "error" else BOLD_YELLOW
    head, *lines = diagnostic.render().split("\n")
    code = f"{diagnostic.severity}[{diagnostic.code}]"
    position, _, rest = head.partition(code)
    coloured_lines = [(styled(position, BOLD) if position else "") + styled(code, style) + rest]
    for line in lines:
        if gutter := re.match(r" *\d* \|", line):
            text = line[gutter.end() :]
            carets = re.fullmatch(r"([ \t]*)(\^+)", text)
            text = f"{carets[1]}{styled(carets[2], style)}" if carets else text
            coloured_lines.append(styled(gutter[0], DIM) + text)
        elif line.startswith("    help:"):
            coloured_lines.append(styled("    help:", BOLD_CYAN) + line.removeprefix("    help:"))
        else:
            coloured_lines.append(line)
    return "\n".join(coloured_lines)


def for_github(diagnostic: Diagnostic) -> str:
    """The diagnostic as a workflow command, which GitHub shows as an annotation on the line."""
    facts = diagnostic.as_json()
    notes = ["  ".join(note) for note in diagnostic.notes]
    text = "\n".join([diagnostic.message, *notes, *filter(None, [diagnostic.help])])
    position = [f"{key}={_property(facts[name])}" for key, name in _POSITION.items() if facts[name] is not None]
    return f"::{diagnostic.severity} {','.join([*position, f'title={diagnostic.code}'])}::{_data(text)}"


_POSITION = {"file": "file", "line": "line", "col": "column", "endLine": "end_line", "endColumn": "end_column"}


def _data(text: str) -> str:
    """A text as the data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    """A value as a property of a workflow command, where commas and colons are escaped as well."""
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
