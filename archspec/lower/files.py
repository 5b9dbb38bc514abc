"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from archspec.diagnostics import fail


def write(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a file beside `path`, and put it in its place when it is whole.

    Raises:
        ArchspecError: the folder or the disk does not let it; nothing is left behind.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:32]}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise fail("unwritable-file", f"cannot write {path}: {error.strerror or error}") from error
    draft = Path(name)
    try:
        fill(draft)
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    except OSError as error:
        raise fail("unwritable-file", f"cannot write {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    write(path, lambda draft: _put(draft, data))


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
