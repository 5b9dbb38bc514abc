"""Limits of time and memory for one input."""

from __future__ import annotations

import gc
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 2.0
"""The most processor time that one input may take."""

SECONDS_PER_LAYER = 60e-6
"""The processor time that each layer of a network may take besides, each time that the network is built."""

BYTES = 500 * 2**20
"""The most memory that one input may take."""


class TooSlow(BaseException):
    """An input takes more time than it may; no handler of exceptions in the program catches it."""


@contextmanager
def limited(seconds: float = SECONDS, memory: int | None = BYTES) -> Iterator[None]:
    """Stop what runs inside after so much processor time, and refuse it more memory than that.

    Garbage is not collected inside: the collector would go through the objects of all other tests.

    Raises:
        TooSlow: it takes more time.
        MemoryError: it takes more memory.
    """

    def stop(*_: Any) -> None:
        raise TooSlow(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory, limits[1]))
    collects = gc.isenabled()
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if collects:
            gc.enable()
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGVTALRM, before)


def _address_space() -> int:
    """The memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
