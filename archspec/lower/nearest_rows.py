"""The rows that PyTorch repeats when it resizes with mode nearest: its rounding decides some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from struct import pack, unpack


def nearest_rows(size: int, count: int) -> list[int]:
    """The source row of each of `count` output rows: floor(i * (size / count)) in float32."""
    ratio = _float32(size / count)
    return [min(size - 1, int(_float32(i * ratio))) for i in range(count)]


def repeats_evenly(rows: Iterable[int]) -> bool:
    """Whether every row occurs equally often."""
    return len(set(Counter(rows).values())) == 1


def _float32(number: float) -> float:
    """The nearest number in float32; float64 holds products and quotients of two of these exactly enough."""
    rounded: float = unpack("f", pack("f", number))[0]
    return rounded
