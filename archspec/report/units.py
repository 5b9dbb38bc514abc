"""Formats sizes, bytes and counts for people."""

from __future__ import annotations

from collections.abc import Sequence


def size(sizes: Sequence[int]) -> str:
    """A shape without the batch axis: `64×112×112`."""
    return "×".join(map(str, sizes)) or "1"


def memory(count: int) -> str:
    """Bytes in powers of 1000, with three digits: `1.23 MB`."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.3g} {unit}" if value < 999.5 else f"{value:,.0f} {unit}"


def plural(count: int, word: str) -> str:
    """A count and its word: `1 error`, `2 errors`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
