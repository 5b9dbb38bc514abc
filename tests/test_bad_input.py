"""Errors outside specs: weights, folders, disks, libraries. Each is reported, and no partial file is written."""

from __future__ import annotations

import os
import pickle
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import archspec
from archspec.lower.optional_deps import install_command
from archspec.lower.weights import to_file

SPEC = """\
archspec: 1
name: net
input: [3, 8, 8]
layers:
  - conv: {name: conv, channels: 16, kernel: 3}
  - batch_norm: {name: norm}
  - global_avg_pool
  - flatten
  - linear: {name: fc, features: 100}
"""

ENDINGS = ("py", "onnx", "pt2", "safetensors", "json", "svg", "png", "pdf", "dot")
"""The suffixes of all files that can be written."""


@pytest.fixture
def net() -> archspec.Network:
    return archspec.parse(SPEC)


def reported(error: pytest.ExceptionInfo[archspec.ArchspecError]) -> tuple[str, str]:
    """The code and the message of the one diagnostic of an error."""
    (diagnostic,) = error.value.diagnostics
    return diagnostic.code, diagnostic.message


def write(net: archspec.Network, path: Path) -> None:
    """Write a network in the format of the suffix."""
    ways: dict[str, Callable[[Path], object]] = {
        ".py": net.save_source, ".onnx": net.to_onnx, ".pt2": net.to_program, ".safetensors": net.save_weights,
        ".json": net.save_json,
    }  # fmt: skip
    ways.get(path.suffix, net.draw)(path)


# --- files of weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
def test_a_truncated_checkpoint(net: archspec.Network, tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "w.pth"
    torch.save(net.to_torch().state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in (0, 1, 4, 9, 50, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        for read in (net.to_torch, net.weights_report, net.weights):
            with pytest.raises(archspec.ArchspecError) as error:
                read(path)
            assert reported(error)[0] == "wrong-weights"
            assert str(path) in reported(error)[1]


class Bomb:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("kind", ["zip", "old", "plain"])
def test_code_in_a_pickle_is_rejected_and_does_not_run(net: archspec.Network, tmp_path: Path, kind: str) -> None:
    path, trap = tmp_path / "w.pth", tmp_path / "it ran"
    checkpoint = {**net.to_torch().state_dict(), "more": Bomb(trap)}
    if kind == "plain":
        path.write_bytes(pickle.dumps({"conv.weight": Bomb(trap)}, protocol=2))
    else:
        torch.save(checkpoint, path, _use_new_zipfile_serialization=kind == "zip")
    for read in (net.to_torch, net.weights_report):
        with pytest.raises(archspec.ArchspecError) as error:
            read(path)
        code, message = reported(error)
        assert code == "wrong-weights"
        if kind != "plain":
            assert message == (
                f"{path} holds objects other than tensors: reading it would run 'posix.mkdir', "
                "which archspec does not allow"
            )
    assert not trap.exists()


def test_a_pickled_module_is_rejected(net: archspec.Network, tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_torch(tmp_path / "w.pth")
    assert "reading it would run 'torch.nn.modules.linear.Linear'" in reported(error)[1]
    assert error.value.diagnostics[0].help == "save only the weights: torch.save(model.state_dict(), ...)"


@pytest.mark.parametrize("content", [torch.ones(3), [1, 2], 3, None], ids=["tensor", "list", "number", "nothing"])
def test_a_file_of_something_else(net: archspec.Network, tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_torch(tmp_path / "w.pth")
    assert "not a state dict" in reported(error)[1]


def test_a_checkpoint_of_another_network(net: archspec.Network, tmp_path: Path) -> None:
    module = net.to_torch()
    to_file(archspec.load("lenet5").weights(), tmp_path / "w.safetensors")
    for path in (tmp_path / "w.onnx", tmp_path / "v.safetensors"):
        save = net.to_onnx if path.suffix == ".onnx" else net.save_weights
        with pytest.raises(archspec.ArchspecError) as error:
            save(path, tmp_path / "w.safetensors")
        assert reported(error)[0] == "wrong-weights"
        assert not path.exists()
    assert set(module.state_dict()) == {key for key, _ in net.graph.weights()}


# --- folders and disks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_read_only_folder(net: archspec.Network, tmp_path: Path, ending: str) -> None:
    folder = Path("/proc") if os.geteuid() == 0 else tmp_path  # even root cannot write to /proc
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(archspec.ArchspecError) as error:
            write(net, folder / f"archspec.{ending}")
    finally:
        tmp_path.chmod(0o755)
    assert reported(error)[0] == "unwritable-file"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exists", [True, False], ids=["existing", "new"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk(tmp_path: Path, ending: str, exists: bool) -> None:
    """The size of files is limited to 400 bytes, so that writing fails in the middle, as on a full disk."""
    spec, output = tmp_path / "net.yaml", tmp_path / f"out.{ending}"
    spec.write_text(SPEC)
    if exists:
        output.write_bytes(b"what was there")
    command = "draw" if ending in ("svg", "png", "pdf", "dot") else "compile"
    done = subprocess.run(
        [sys.executable, "-B", "-m", "archspec", command, spec, "-o", output],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    # An image may also fail while Graphviz writes its temporary file.
    message = "error[" if ending in ("svg", "png", "pdf") else f"error[unwritable-file]: cannot write {output}: "
    assert done.stderr.startswith(message), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["net.yaml", *([output.name] if exists else [])])
    assert not exists or output.read_bytes() == b"what was there"


# --- pipes, sockets and devices ---------------------------------------------------------------------------------------


@pytest.fixture(params=["pipe", "socket", "device", "folder", "link to a pipe"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Makes a file of a kind that is not regular. Reading one may never end, so it is interrupted."""

    def make(name: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "folder":
            path.mkdir()
        elif request.param == "device":
            path.symlink_to("/dev/zero")
        elif request.param == "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(str(path))
        else:
            os.mkfifo(path.with_suffix(".pipe"))
            path.symlink_to(path.with_suffix(".pipe"))

    def interrupt(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(60)
    yield make
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_only_regular_files_are_imported_or_suggested(special: Callable[[str], None], tmp_path: Path) -> None:
    names = ("parts.yaml", "blocks/part.yaml", "nets.yaml")
    for name in names:
        special(name)
    for imported in ("parts.yaml", "part.yaml", "parts", "blocks/part.yaml", "blocks/parts.yaml"):
        spec = SPEC.replace("layers:", f"import: {imported}\nlayers:")
        (tmp_path / "net.yaml").write_text(spec)
        (found,) = archspec.check(tmp_path / "net.yaml")
        assert found.code == ("unknown-import" if imported.endswith(".yaml") else "wrong-import")
        assert not any(f"'{name}'" in (found.help or "") for name in names)
    (found,) = archspec.check(tmp_path / "netz.yaml")
    assert found.help is None or "net.yaml" in found.help


@pytest.mark.parametrize("ending", ["pth", "safetensors", "npz", "json", "onnx", ""])
def test_only_regular_files_are_read_as_weights(
    net: archspec.Network, special: Callable[[str], None], tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"w.{ending}"
    special(path.name)
    for read in (net.weights, net.weights_report):
        with pytest.raises(archspec.ArchspecError) as error:
            read(path)
        assert reported(error)[0] == "unreadable-file"
        assert re.search(r"it is a (pipe|socket|device|folder), not a file", reported(error)[1])


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_regular_files_are_replaced(
    net: archspec.Network, special: Callable[[str], None], tmp_path: Path, ending: str
) -> None:
    special(f"a.{ending}")
    before = {path: path.lstat().st_mode for path in tmp_path.iterdir()}
    with pytest.raises(archspec.ArchspecError) as error:
        write(net, tmp_path / f"a.{ending}")
    assert reported(error)[0] == "unwritable-file"
    assert {path: path.lstat().st_mode for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_target_of_a_link_is_written(net: archspec.Network, tmp_path: Path, ending: str) -> None:
    link, folder = tmp_path / f"link.{ending}", tmp_path / "folder"
    folder.mkdir()
    link.symlink_to(f"folder/a.{ending}")
    write(net, link)
    assert link.is_symlink()
    assert [path.name for path in folder.iterdir()] == [f"a.{ending}"]


# --- libraries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("library", "what", "use"),
    [
        ("torch", "a module", lambda net, path: net.to_torch()),
        ("torch", "w.pth, a file of torch.save,", lambda net, path: net.weights_report(path)),
        ("onnx", "an ONNX file", lambda net, path: net.to_onnx(path.with_suffix(".onnx"))),
    ],
    ids=["module", "checkpoint", "onnx"],
)
def test_a_missing_library(
    net: archspec.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, what: str,
    use: Callable[[archspec.Network, Path], object],
) -> None:  # fmt: skip
    torch.save(net.to_torch().state_dict(), tmp_path / "w.pth")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)  # makes the import fail
    with pytest.raises(archspec.ArchspecError) as error:
        use(net, Path("w.pth"))
    code, message = reported(error)
    assert code == "missing-library"
    assert message.startswith(f"{what} needs {library}, which cannot be imported: ")
    assert error.value.diagnostics[0].help == install_command(library)
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"device": "nowhere"}, "wrong-device", "PyTorch has no device 'nowhere' here: "),
        ({"device": "cuda:99"}, "wrong-device", "PyTorch has no device 'cuda:99' here: "),
        ({"dtype": "bfloat16"}, "wrong-value", "'bfloat16' is not a precision for a network"),
        ({"dtype": torch.int8}, "wrong-value", "torch.int8 is not a precision for a network"),
        ({"memory_format": "channel_last"}, "wrong-value", "unknown memory format 'channel_last'"),
    ],
)
def test_an_invalid_device_precision_or_layout(
    net: archspec.Network, asked: dict[str, str], code: str, words: str
) -> None:
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_torch(**asked)
    assert reported(error)[0] == code
    assert reported(error)[1].startswith(words)


def test_an_unknown_layer(net: archspec.Network) -> None:
    with pytest.raises(KeyError, match="'net' has no layer 'conf': did you mean 'conv'"):
        net["conf"]


def test_a_single_folder_or_plugin_may_be_a_string() -> None:
    with pytest.raises(archspec.ArchspecError, match="there is no folder nowhere"):
        archspec.load("lenet5", path="nowhere")
    with pytest.raises(archspec.ArchspecError, match="the plugin 'nowhere' cannot be imported"):
        archspec.load("lenet5", plugins="nowhere")
