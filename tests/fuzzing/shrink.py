"""Shrinks bytes that fail to the fewest that fail alike."""

from __future__ import annotations

from collections.abc import Callable


def shrink_bytes(data: bytes, fails: Callable[[bytes], bool], tries: int = 2_000) -> bytes:
    """The shortest bytes found that `fails`, after at most so many tries: stretches are cut out, the longest first."""
    length = max(1, len(data) // 2)
    while tries > 0:
        start, cut = 0, False
        while start < len(data) and tries > 0:
            candidate = data[:start] + data[start + length :]
            tries -= 1
            if len(candidate) < len(data) and fails(candidate):
                data, cut = candidate, True
            else:
                start += length
        if length == 1 and not cut:
            return data
        length = length if cut and length > 1 else max(1, length // 2)
    return data
