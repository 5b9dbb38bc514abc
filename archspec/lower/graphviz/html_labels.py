"""Text as DOT takes it: nothing that a spec says can end a label, begin markup or name a port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from archspec.lower.graphviz.labels import Label
from archspec.lower.graphviz.style import FAINT, MANY, SMALL

_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
_WIDE = 34
"""Characters of notes in one line."""
_BESIDE = 10
"""Characters of a heading that still fit beside the arrow that enters a frame."""


def identifier(name: str) -> str:
    """A name as an identifier: letters, digits and `._-` as they are, all else by its code: `a:b` is `a=3Ab`.

    Graphviz keeps names that begin with `%` for itself.
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
    """A label of several lines: what it is, and below it, smaller, what else is said."""
    return f"<{'<br/>'.join([_head(label), *map(_small, _wrapped(label.notes))])}>"


def line(label: Label) -> str:
    """A label of one line."""
    head = _text(" ".join(filter(None, [label.title, label.details])))
    return f"<{' '.join([head, *map(_small, _joined(label.notes))])}>"


def sign(mark: str) -> str:
    """A label of one large sign."""
    return f"<<b>{_text(mark)}</b>>"


def heading(label: Label) -> str:
    """The heading of a frame; a long one takes two lines, so that arrows into the frame pass beside it."""
    head = [_head(label)] if label.title or label.times > 1 else []
    parts = [*head, *map(_small, _joined(label.notes))]
    if len(label.title) + sum(map(len, label.notes)) <= _BESIDE:
        return f"<{' '.join(parts)}>" if parts else ""
    return f"<{''.join(part + _LEFT for part in parts)}>"


_LEFT = '<br align="left"/>'


def _head(label: Label) -> str:
    title = f"<b>{_text(label.title)}</b>" if label.title else ""
    times = f'<font color="{MANY}"><b>×{label.times}</b></font>' if label.times > 1 else ""
    return " ".join(filter(None, [title, times, _text(label.details)]))


def _small(text: str) -> str:
    return f'<font point-size="{SMALL}" color="{FAINT}">{_text(text)}</font>'


def _joined(notes: Sequence[str]) -> list[str]:
    return [" · ".join(notes)] if notes else []


def _wrapped(notes: Sequence[str]) -> Iterator[str]:
    """The notes in lines, none of them broken."""
    row: list[str] = []
    for note in notes:
        if row and sum(len(part) + 3 for part in row) + len(note) > _WIDE:
            yield " · ".join(row)
            row = []
        row.append(note)
    if row:
        yield " · ".join(row)


def _text(plain: str) -> str:
    r"""Text inside a label; a single backslash begins an escape there too: `\N` is the name of the node."""
    return escape(_printable(plain)).replace("\\", "\\\\")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
