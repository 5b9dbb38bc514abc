"""Files are written completely or not at all."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from archspec.diagnostics import ArchspecError
from archspec.lower import atomic_write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(error: pytest.ExceptionInfo[ArchspecError]) -> str:
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unwritable-file"
    return diagnostic.message


def test_text_is_utf8_with_its_line_ends_kept(tmp_path: Path) -> None:
    atomic_write.write_text(tmp_path / "a.txt", "café\r\n×\n")
    assert (tmp_path / "a.txt").read_bytes() == b"caf\xc3\xa9\r\n\xc3\x97\n"


def test_a_file_is_replaced(tmp_path: Path) -> None:
    for data in (b"first and long", b"second"):
        atomic_write.write_bytes(tmp_path / "a.bin", data)
        assert (tmp_path / "a.bin").read_bytes() == data
    assert names(tmp_path) == ["a.bin"]


def test_the_draft_has_the_suffix_of_the_file_and_is_beside_it(tmp_path: Path) -> None:
    def fill(draft: Path) -> None:
        assert draft.parent == tmp_path
        assert draft.suffix == ".svg"
        draft.write_bytes(b"")

    atomic_write.write(tmp_path / "a.svg", fill)
    assert names(tmp_path) == ["a.svg"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        atomic_write.write_bytes(tmp_path / "a.bin", b"")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640  # 0o666 without 0o027


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), ValueError("a mistake"), KeyboardInterrupt()]
)
def test_a_failing_fill_changes_nothing(tmp_path: Path, known: bool, failure: BaseException) -> None:
    path = tmp_path / "a.bin"
    if known:
        path.write_bytes(b"old")

    def fill(draft: Path) -> None:
        draft.write_bytes(b"half of the new")
        raise failure

    with pytest.raises(ArchspecError if isinstance(failure, OSError) else type(failure)) as error:
        atomic_write.write(path, fill)
    if isinstance(failure, OSError):
        assert refused(error) == f"cannot write {path}: No space left on device"
    assert names(tmp_path) == (["a.bin"] if known else [])
    assert not known or path.read_bytes() == b"old"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / "none" / "a.bin", b"")
    assert refused(error).endswith("No such file or directory")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / "file" / "a.bin", b"")
    assert refused(error).endswith("Not a directory")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / "a.bin", b"new")
    assert refused(error).endswith("a.bin: it is a folder, not a file")
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("exists", [True, False], ids=["existing", "new"])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, exists: bool) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link.bin"
    folder.mkdir()
    (tmp_path / "between").symlink_to("folder/a.bin")
    link.symlink_to("between")
    if exists:
        (folder / "a.bin").write_bytes(b"old")

    def fill(draft: Path) -> None:
        assert draft.parent == folder, "it is moved within one file system"
        draft.write_bytes(b"new")

    atomic_write.write(link, fill)
    assert os.readlink(link) == "between"
    assert (folder / "a.bin").read_bytes() == link.read_bytes() == b"new"
    assert names(folder) == ["a.bin"]
    assert names(tmp_path) == ["between", "folder", "link.bin"]


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.bin").symlink_to("a.bin")
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / "a.bin", b"new")
    assert refused(error).endswith("Too many levels of symbolic links")
    assert (tmp_path / "a.bin").is_symlink()


def test_a_failing_fill_leaves_a_link_and_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to("a.bin")

    def fill(draft: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ArchspecError) as error:
        atomic_write.write(tmp_path / "link.bin", fill)
    assert refused(error) == f"cannot write {tmp_path / 'link.bin'}: No space left on device"
    assert names(tmp_path) == ["a.bin", "link.bin"]
    assert (tmp_path / "link.bin").read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="special files of POSIX")
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device", "a folder"])
def test_only_a_regular_file_is_replaced(tmp_path: Path, kind: str, linked: bool) -> None:
    path = Path("/dev/null") if kind == "a device" else tmp_path / "a.bin"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    if linked:
        (tmp_path / "link.bin").symlink_to(path)
        path = tmp_path / "link.bin"
    before, mode = names(tmp_path), path.stat().st_mode
    for paths in ([path], [tmp_path / "w.bin", path]):
        with pytest.raises(ArchspecError) as error:
            atomic_write.write_together(
                paths, lambda folder: [(folder / name).touch() for name in ("w.bin", path.name)]
            )
        assert refused(error) == f"cannot write {path}: it is {kind}, not a file"
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(path, b"new")
    assert refused(error) == f"cannot write {path}: it is {kind}, not a file"
    assert (names(tmp_path), path.stat().st_mode) == (before, mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(mode)

    def fill(draft: Path) -> None:
        assert stat.S_IMODE(draft.stat().st_mode) & ~mode & 0o077 == 0, "others cannot read the draft either"
        draft.write_bytes(b"new")

    atomic_write.write(path, fill)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


def test_a_disk_that_cannot_reserve_space_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, start: int, size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    atomic_write.write_bytes(tmp_path / "a.bin", b"x")
    monkeypatch.delattr(os, "posix_fallocate")  # as on macOS
    atomic_write.write_bytes(tmp_path / "b.bin", b"y")
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == [b"x", b"y"]


def test_a_full_disk_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, start: int, size: int) -> None:
        assert (start, size) == (0, 5)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / "a.bin", b"12345")
    assert refused(error).endswith("No space left on device")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(ArchspecError) as error:
            atomic_write.write_bytes(tmp_path / "a.bin", b"")
    finally:
        tmp_path.chmod(0o755)
    assert refused(error).endswith("Permission denied")
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that even root cannot write to")
def test_a_read_only_file_system() -> None:
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(Path("/proc/a.bin"), b"")
    assert refused(error).startswith("cannot write /proc/a.bin: ")


def test_a_name_too_long(tmp_path: Path) -> None:
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(tmp_path / ("a" * 300), b"")
    assert refused(error).endswith("File name too long")


def test_a_name_that_is_as_long_as_it_may_be(tmp_path: Path) -> None:
    name = "a" * 251 + ".txt"  # 255 bytes: NAME_MAX of every file system in use
    atomic_write.write_bytes(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


def test_a_file_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    atomic_write.write_bytes(Path("a.bin"), b"x")
    assert names(tmp_path) == ["a.bin"]


def test_a_file_with_no_name() -> None:
    with pytest.raises(ArchspecError) as error:
        atomic_write.write_bytes(Path("/"), b"")
    refused(error)
