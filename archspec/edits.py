"""Applying the edits of diagnostics to a text: the rest of it stays as it is, comments and layout too."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics import Edit, Source, Span


def edited(source: Source, edits: Iterable[Edit]) -> str:
    """The text with the edits of this source applied; of edits that overlap, the first one."""
    text, end, parts = source.text, 0, []
    own = {edit: None for edit in edits if edit.span.source is source}
    for edit in sorted(own, key=lambda edit: extent(edit.span)):
        start, stop = extent(edit.span)
        if start >= end:
            parts += [text[end:start], edit.text]
            end = stop
    return "".join([*parts, text[end:]])


def extent(span: Span) -> tuple[int, int]:
    """The offsets of the start and the end of a span in its source."""
    return span.source.offset(span.line, span.column), span.source.offset(span.end_line, span.end_column)


def inserted(source: Source, offset: int, text: str) -> Edit:
    """An edit that inserts a text before the character at an offset."""
    at = source.at(offset)
    return Edit(at._replace(end_column=at.column), text)
