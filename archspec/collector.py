"""Rest for the garbage collector while something large is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """No garbage collection inside, unless there was none outside either.

    What is built inside is kept, so there is nothing to collect; to look through it again and again would take a
    growing share of the time. Nested and concurrent uses end with the collector as the first of them found it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
