"""Labels and identifiers in DOT. No text from a spec can end a label, start markup or name a port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from archspec.lower.graphviz.labels import Label
from archspec.lower.graphviz.style import FAINT, REPEATED, SMALL

_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
_NOTES_WIDTH = 34
"""The maximum number of characters of notes in one line."""
_HEADING_WIDTH = 10
"""The number of characters of a heading that fit beside the arrow that enters a frame."""


def identifier(name: str) -> str:
    """A name as an identifier: characters other than letters, digits and `._-` by their code, as `a=3Ab` for `a:b`.

    Graphviz reserves names that begin with `%`.
    """
    if _PLAIN.fullmatch(name):
        return name
    return "".join(mark if mark.isalnum() or mark in "._-" else f"={ord(mark):X}" for mark in name) or "="


def tooltip(text: str) -> str:
    """Plain text of one line or more."""
    from graphviz import nohtml

    lines = (_printable(line).replace("&", "&amp;").replace("\\", "\\\\") for line in text.split("\n"))
    plain: str = nohtml("\\n".join(lines))
    return plain


def block(label: Label) -> str:
    """A label of several lines: title and details, and below them the notes in smaller letters."""
    return f"<{'<br/>'.join([_head(label), *map(_small, _wrapped(label.notes))])}>"


def line(label: Label) -> str:
    """A label of one line."""
    head = _text(" ".join(filter(None, [label.title, label.details])))
    return f"<{' '.join([head, *map(_small, _joined(label.notes))])}>"


def symbol(text: str) -> str:
    """A label of one large symbol."""
    return f"<<b>{_text(text)}</b>>"


def heading(label: Label) -> str:
    """The heading of a frame. A long one takes two lines, so that arrows into the frame pass beside it."""
    head = [_head(label)] if label.title or label.times > 1 else []
    parts = [*head, *map(_small, _joined(label.notes))]
    if len(label.title) + sum(map(len, label.notes)) <= _HEADING_WIDTH:
        return f"<{' '.join(parts)}>" if parts else ""
    return f"<{''.join(part + _LEFT for part in parts)}>"


_LEFT = '<br align="left"/>'


def _head(label: Label) -> str:
    title = f"<b>{_text(label.title)}</b>" if label.title else ""
    times = f'<font color="{REPEATED}"><b>×{label.times}</b></font>' if label.times > 1 else ""
    return " ".join(filter(None, [title, times, _text(label.details)]))


def _small(text: str) -> str:
    return f'<font point-size="{SMALL}" color="{FAINT}">{_text(text)}</font>'


def _joined(notes: Sequence[str]) -> list[str]:
    return [" · ".join(notes)] if notes else []


def _wrapped(notes: Sequence[str]) -> Iterator[str]:
    """The notes in lines, broken only between notes."""
    row: list[str] = []
    for note in notes:
        if row and sum(len(part) + 3 for part in row) + len(note) > _NOTES_WIDTH:
            yield " · ".join(row)
            row = []
        row.append(note)
    if row:
        yield " · ".join(row)


def _text(plain: str) -> str:
    r"""Text inside a label. Backslashes are doubled, as Graphviz would expand `\N` to the name of the node."""
    return escape(_printable(plain)).replace("\\", "\\\\")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
