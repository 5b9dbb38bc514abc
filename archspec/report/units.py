"""Formats sizes, bytes and counts for people."""

from __future__ import annotations

from collections.abc import Sequence


def size(sizes: Sequence[int]) -> str:
    """A shape without the batch axis: `64×112×112`."""
    return "×".join(map(str, sizes)) or "1"


def memory(count: int) -> str:
    """Bytes in powers of 1000, with three digits: `1.23 MB`."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def short(count: int) -> str:
    """A count in powers of 1000, with three digits: `25.6 M`."""
    return _scaled(count, ("", "k", "M", "G", "T")).rstrip()


def _scaled(count: int, units: Sequence[str]) -> str:
    value, unit = float(count), units[0]
    for unit in units:
        if value < 999.5 or unit == units[-1]:
            break
        value /= 1000
    return f"{value:.3g} {unit}" if value < 999.5 else f"{value:,.0f} {unit}"


def plural(count: int, word: str) -> str:
    """A count and its word: `1 error`, `2 errors`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
