"""Formats diagnostics: with styles for terminals, and as workflow commands for GitHub."""

from __future__ import annotations

import re

from archspec.diagnostics import Diagnostic
from archspec.report.colours import BOLD, BOLD_CYAN, BOLD_RED, BOLD_YELLOW, DIM, Line, Styled


def styled_lines(diagnostic: Diagnostic) -> list[Line]:
    """The lines of the rendered diagnostic, with styles for its position, code, carets and help."""
    style = BOLD_RED if diagnostic.severity == "error" else BOLD_YELLOW
    head, *lines = diagnostic.render().split("\n")
    code = f"{diagnostic.severity}[{diagnostic.code}]"
    position, _, rest = head.partition(code)
    return [[Styled(position, BOLD), Styled(code, style), Styled(rest)], *(_styled(line, style) for line in lines)]


def _styled(line: str, style: str) -> Line:
    if gutter := re.match(r" *\d* \|", line):
        text = line[gutter.end() :]
        carets = re.fullmatch(r"([ \t]*)(\^+)", text)
        rest = [Styled(carets[1]), Styled(carets[2], style)] if carets else [Styled(text)]
        return [Styled(gutter[0], DIM), *rest]
    if line.startswith(_HELP):
        return [Styled(_HELP, BOLD_CYAN), Styled(line.removeprefix(_HELP))]
    return line


_HELP = "    help:"


def for_github(diagnostic: Diagnostic) -> str:
    """The diagnostic as a workflow command, which GitHub shows as an annotation on the line."""
    facts = diagnostic.as_json()
    text = "\n".join([facts["message"], *facts["notes"], *filter(None, [facts["help"]])])
    properties = {key: facts[name] for key, name in _POSITION.items() if facts[name] is not None}
    properties["title"] = diagnostic.code
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{diagnostic.severity} {listed}::{_data(text)}"


_POSITION = {"file": "file", "line": "line", "col": "column", "endLine": "end_line", "endColumn": "end_column"}


def _data(text: str) -> str:
    """A text as the data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    """A value as a property of a workflow command, where commas and colons are escaped as well."""
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
