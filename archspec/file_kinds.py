"""Kinds of files: only regular ones are searched, replaced or read as weights. A pipe would wait for its other end."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def irregular(path: str | Path) -> str | None:
    """What a path or the target of its link is, in words, unless it is a regular file or does not exist."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return None if stat.S_ISREG(mode) else next((word for test, word in _KINDS if test(mode)), "a special file")


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
