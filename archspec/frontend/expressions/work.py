"""The work of expressions: the entries of lists that they go through, bounded for all expressions of a check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_WORK = 5_000_000
"""Entries of lists that all expressions of a check may go through; they take about a second."""

_spent: ContextVar[list[int] | None] = ContextVar("archspec_expression_work", default=None)


@contextmanager
def shared_work() -> Iterator[None]:
    """All expressions evaluated inside share one bound, which is that of the outermost such context."""
    if _spent.get() is not None:
        yield
        return
    token = _spent.set([0])
    try:
        yield
    finally:
        _spent.reset(token)


def is_shared() -> bool:
    """Whether expressions evaluated here share a bound."""
    return _spent.get() is not None


def spend(entries: int) -> bool:
    """Count entries; whether the bound still holds."""
    spent = _spent.get()
    if spent is None:
        return entries <= MAX_WORK
    spent[0] += entries
    return spent[0] <= MAX_WORK
