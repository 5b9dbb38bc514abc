"""Formats rows of text as tables.

A table library would take longer for the rows of a ResNet than compiling it does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

Row = Sequence[str]


def fitting(rows: Sequence[Row], width: int | None, *, left: int, needed: int) -> list[str]:
    """The lines of a table at most `width` columns wide, with a rule under the headings.

    If `width` is too narrow, gaps shrink, then columns are omitted from the right, then the first column is truncated.

    Args:
        rows: the cells; the first row contains the headings.
        width: the maximum width, or None for any.
        left: the number of columns that are left-aligned; the others are right-aligned.
        needed: the number of columns that are never omitted.
    """
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = 2
    if width is not None and _total(sizes, gap) > width:
        gap = 1
        while len(sizes) > needed and _total(sizes, gap) > width:
            sizes.pop()
        sizes[0] -= min(max(0, _total(sizes, gap) - width), max(0, sizes[0] - _NARROWEST))
    head, *lines = [_line(row[: len(sizes)], sizes, left, gap) for row in rows]
    return [head, "─" * _total(sizes, gap), *lines]


_NARROWEST = 8


def wrapped(rows: Sequence[Row], width: int | None) -> list[str]:
    """The lines of a table of left-aligned text, with a rule under the headings.

    The first row contains the headings. If `width` is too narrow, the last column wraps.
    """
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    indent = sum(sizes[:-1]) + 2 * (len(sizes) - 1)
    if width is not None and indent + sizes[-1] > width:
        sizes[-1] = max(_NARROWEST, width - indent)
    head, *lines = [line for row in rows for line in _wrapped_row(row, sizes, indent)]
    return [head, "─" * (indent + sizes[-1]), *lines]


def _wrapped_row(row: Row, sizes: Sequence[int], indent: int) -> list[str]:
    first, *others = textwrap.wrap(row[-1], sizes[-1]) or [""]
    return [_line([*row[:-1], first], sizes, len(sizes), 2), *((" " * indent + line).rstrip() for line in others)]


def _total(sizes: Sequence[int], gap: int) -> int:
    return sum(sizes) + gap * (len(sizes) - 1)


def _line(row: Row, sizes: Sequence[int], left: int, gap: int) -> str:
    cells = [cell if len(cell) <= size else cell[: size - 1] + "…" for cell, size in zip(row, sizes, strict=True)]
    padded = [
        cell.ljust(size) if i < left else cell.rjust(size)
        for i, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    ]
    return (" " * gap).join(padded).rstrip()
