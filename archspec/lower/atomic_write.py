"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from errno import EINVAL, EISDIR, ENOTSUP
from pathlib import Path

from archspec.diagnostics import fail

Piece = bytes | memoryview
"""A part of a file, in memory."""


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


def write_together(paths: Sequence[Path], fill: Callable[[Path], None]) -> None:
    """Let `fill` write files into a folder beside `paths`, under their names, and put them in place when all are whole.

    Args:
        paths: where the files go, all into one folder, in the order in which they are put there.
        fill: writes them into the folder it is given.

    Raises:
        ArchspecError: the folder or the disk does not let it; nothing is left behind.
    """
    path = paths[-1]
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.stem[:32]}-", dir=path.parent) as name:
            fill(Path(name))
            _put_in_place(Path(name), paths)
    except OSError as error:
        raise fail("unwritable-file", f"cannot write {path}: {error.strerror or error}") from error


def _put_in_place(folder: Path, paths: Sequence[Path]) -> None:
    if any(path.is_dir() for path in paths):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    new = [path for path in paths if not path.exists()]
    try:
        for path in paths:
            draft = folder / path.name
            draft.chmod(0o666 & ~_umask())
            draft.replace(path)
    except OSError:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, whole or not at all."""
    write(path, lambda draft: put(draft, [data]))


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def put(path: Path, pieces: Sequence[Piece]) -> None:
    """Put pieces in a row into a file.

    Room for all is asked for first. A full disk says so at once, and one that has the room need not look for it when
    the file takes the place of another.

    Raises:
        OSError: the folder or the disk does not let it.
    """
    with path.open("wb") as file:
        _reserve(file.fileno(), sum(memoryview(piece).nbytes for piece in pieces))
        for piece in pieces:
            file.write(piece)


def _reserve(file: int, size: int) -> None:
    """Have room for a file, on the systems and disks that can be asked for it."""
    if not (size and hasattr(os, "posix_fallocate")):
        return
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP):
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
