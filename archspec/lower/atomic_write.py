"""Writing files completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from errno import EINVAL, EISDIR, ENOTSUP
from pathlib import Path

from archspec.diagnostics import fail

Piece = bytes | memoryview
"""Part of a file's content, in memory."""


def write(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary file beside `path`, and move it to `path` when it is complete.

    Raises:
        ArchspecError: the file cannot be written; no temporary file remains.
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
    """Let `fill` write files into a temporary folder beside `paths`, and move them to `paths` when all are complete.

    Args:
        paths: the files, all in one folder, in the order in which they are moved there.
        fill: writes the files, under the same names, into the folder that it is called with.

    Raises:
        ArchspecError: a file cannot be written; no temporary file remains.
    """
    path = paths[-1]
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.stem[:32]}-", dir=path.parent) as name:
            fill(Path(name))
            _move_into_place(Path(name), paths)
    except OSError as error:
        raise fail("unwritable-file", f"cannot write {path}: {error.strerror or error}") from error


def _move_into_place(folder: Path, paths: Sequence[Path]) -> None:
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
    """Write bytes, completely or not at all."""
    write(path, lambda draft: put(draft, [data]))


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, completely or not at all."""
    write_bytes(path, text.encode("utf-8"))


def put(path: Path, pieces: Sequence[Piece]) -> None:
    """Write pieces to a file, one after another.

    The space is reserved first, so that a full disk fails at once, and so that the disk need not allocate space when
    the file replaces another.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("wb") as file:
        _reserve(file.fileno(), sum(memoryview(piece).nbytes for piece in pieces))
        for piece in pieces:
            file.write(piece)


def _reserve(file: int, size: int) -> None:
    """Reserve space for a file, on systems and disks that support it."""
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
