"""Rows of text under headings, in columns.

A library does more than is needed here, and takes longer over a ResNet's rows than compiling it does.
"""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def fitting(rows: Sequence[Row], width: int | None, *, left: int, needed: int) -> list[str]:
    """The lines of rows, the first of them the headings, with a rule under these.

    The first `left` columns stand to the left, the others to the right. Where `width` is too narrow, gaps shrink, then
    columns after the `needed` ones are left out, then the first is cut.
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


def _total(sizes: Sequence[int], gap: int) -> int:
    return sum(sizes) + gap * (len(sizes) - 1)


def _line(row: Row, sizes: Sequence[int], left: int, gap: int) -> str:
    cells = [cell if len(cell) <= size else cell[: size - 1] + "…" for cell, size in zip(row, sizes, strict=True)]
    padded = [
        cell.ljust(size) if i < left else cell.rjust(size)
        for i, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    ]
    return (" " * gap).join(padded).rstrip()
