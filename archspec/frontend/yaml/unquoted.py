"""Expressions that need quotes, since their brackets and commas mean something in YAML: `{kernel: max(a, 3)}`."""

from __future__ import annotations

import re

from archspec.diagnostics import Edit, Source, Span

_OPENING, _CLOSING = "([{", ")]}"


def with_quotes(source: Source, line: int, start: int) -> Edit | None:
    """The edit that puts quotes around the expression at an offset of a line, with all of its brackets.

    None if its brackets do not match on that line, or it has quotes.
    """
    text = source.lines[line - 1][start:]
    depth, end = 0, len(text)
    for position, mark in enumerate(text):
        if depth == 0 and (mark in ",}]" or text.startswith((" #", ": "), position)):
            end = position
            break
        depth += (mark in _OPENING) - (mark in _CLOSING)
    expression = text[:end].rstrip()
    if depth or not expression or '"' in expression or "\\" in expression:
        return None
    return Edit(Span(source, line, start + 1, line, start + 1 + len(expression)), f'"{expression}"')


def with_quotes_around(source: Source, line: int, position: int) -> Edit | None:
    """The same for the expression around an offset of a line."""
    before = source.lines[line - 1][:position]
    found = [match.end() for match in re.finditer(r": |, |[{\[]|^\s*- ", before)]
    start = found[-1] if found else 0
    return with_quotes(source, line, start + len(before[start:]) - len(before[start:].lstrip()))
