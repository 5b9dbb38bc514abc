"""Writing files completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import EINVAL, ELOOP, ENOTSUP
from pathlib import Path
from stat import S_IMODE

from archspec.diagnostics import fail
from archspec.file_kinds import irregular

Piece = bytes | memoryview
"""Part of a file's content, in memory."""


def target(path: Path) -> Path:
    """The file that is written for a path: where the path points, if it is a link.

    Raises:
        ArchspecError: it is something other than a regular file, such as a folder or a device.
    """
    if kind := irregular(path):
        raise fail("unwritable-file", f"cannot write {path}: it is {kind}, not a file")
    with _errors(path):
        found = Path(os.path.realpath(path)) if path.is_symlink() else path
        if found.is_symlink():
            raise OSError(ELOOP, os.strerror(ELOOP))
    return found


def write(path: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary file beside the target of `path`, and move it there when it is complete.

    A file that is replaced keeps its permissions.

    Raises:
        ArchspecError: the file cannot be written; no temporary file remains.
    """
    found = target(path)
    draft = found.with_name(f".{found.stem[:32]}-{os.urandom(8).hex()}{found.suffix}")
    with _errors(path):
        try:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if found.exists() else 0o666))
            fill(draft)
            _move(draft, found)
        finally:
            draft.unlink(missing_ok=True)


def write_together(paths: Sequence[Path], fill: Callable[[Path], None]) -> None:
    """Let `fill` write files into a temporary folder beside `paths`, and move them to `paths` when all are complete.

    Args:
        paths: the files, none of them a link, all in one folder, in the order in which they are moved there.
        fill: writes the files, under the same names, into the folder that it is called with.

    Raises:
        ArchspecError: a file cannot be written; no temporary file remains.
    """
    from tempfile import TemporaryDirectory

    path = paths[-1]
    with _errors(path), TemporaryDirectory(prefix=f".{path.stem[:32]}-", dir=path.parent) as name:
        fill(Path(name))
        _move_into_place(Path(name), paths)


def _move_into_place(folder: Path, paths: Sequence[Path]) -> None:
    for path in paths:
        target(path)
    new = [path for path in paths if not path.exists()]
    try:
        for path in paths:
            _move(folder / path.name, path)
    except OSError:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def _move(draft: Path, path: Path) -> None:
    if path.exists():
        draft.chmod(S_IMODE(path.stat().st_mode))
    draft.replace(path)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn errors of the system into diagnostics about a file that is written."""
    try:
        yield
    except OSError as error:
        raise fail("unwritable-file", f"cannot write {path}: {error.strerror or error}") from error


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
