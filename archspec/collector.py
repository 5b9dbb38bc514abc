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
    """Move all objects to the oldest generation, unless somebody has some frozen: they would thaw.

    The collector does not count what comes there so, and would never look through that generation: it is told to after
    so many objects.
    """
    global _moved
    if gc.get_freeze_count():
        return
    _moved += gc.get_count()[0]
    gc.freeze()
    gc.unfreeze()
    if _moved > _MOST_MOVED:
        _moved = 0
        gc.collect()


_MOST_MOVED = 1_000_000
"""What hundreds of networks of ordinary size are built of, or one of tens of thousands of layers."""

_moved = 0
