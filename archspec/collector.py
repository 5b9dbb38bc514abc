"""Rest for the garbage collector while something large is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """No garbage collection inside, unless there was none outside either.

    What is built inside is kept, so there is nothing to collect; to look through it again and again would take a
    growing share of the time. For the same reason it counts as old afterwards, and the next collections of what is
    young pass it over. Nested and concurrent uses end with the collector as the first of them found it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            _grow_old()
            gc.enable()


def _grow_old() -> None:
    """Move all objects to the oldest generation, unless somebody has some frozen: they would thaw."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
