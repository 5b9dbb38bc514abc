"""The process of the command line: full and closed streams, encodings, and the signals that end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import archspec

posix = pytest.mark.skipif(os.name == "nt", reason="streams and signals of POSIX")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")


def environment(**more: str) -> dict[str, str]:
    home = str(Path(archspec.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": home, "PYTHONIOENCODING": "utf-8", **more}


def shell(command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command of archspec with the redirections of a shell."""
    line = f'exec "{sys.executable}" -m archspec {command}'
    done = subprocess.run(["sh", "-c", line], cwd=cwd, env=environment(**more), capture_output=True, check=False)
    for words in (b"Traceback", b"Exception ignored", b"Error: "):
        assert words not in done.stderr + done.stdout, done.stderr
    return done


COMMANDS = ("summary lenet5", "summary lenet5 --json", "list", "schema", "--help", "--version", "check many.yaml",
            "check many.yaml --format json", "check many.yaml --format github", "compile lenet5 -o -",
            "draw lenet5 -o -")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    many = "".join(f"  - conv: {{name: c{i}, chanels: {i}}}\n" for i in range(200))
    (tmp_path / "many.yaml").write_text(f"archspec: 1\nname: n\ninput: [3, 8, 8]\nlayers:\n{many}")
    return tmp_path


@full
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_stdout_is_an_error(folder: Path, command: str) -> None:
    done = shell(f"{command} > /dev/full", folder)
    assert done.returncode == 1
    assert done.stderr == b"error[unwritable-file]: cannot write to standard output: No space left on device\n"


@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_is_an_error(folder: Path, command: str) -> None:
    done = shell(f"{command} >&-", folder)
    assert done.returncode == 1
    assert done.stderr == b"error[unwritable-file]: cannot write to standard output: it is closed\n"


@posix
@pytest.mark.parametrize("name", ["net.py", "net.onnx", "net.json", "net.safetensors", "net.dot"])
def test_what_goes_to_stdout_is_the_file(tmp_path: Path, name: str) -> None:
    command, option = ("draw", "--format") if name.endswith("dot") else ("compile", "--target")
    kinds = {"py": "keras", "onnx": "onnx", "json": "facts", "safetensors": "weights", "dot": "dot"}
    kind = kinds[name.partition(".")[2]]
    chosen = f"{option} {kind}" if kind == "keras" else ""
    assert shell(f"{command} lenet5 -o {name} {chosen}", tmp_path).stderr == f"wrote {name}\n".encode()
    done = shell(f"{command} lenet5 -o - {option} {kind}", tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", (tmp_path / name).read_bytes())
    assert [path.name for path in tmp_path.iterdir()] == [name]


@posix
@pytest.mark.parametrize(("target", "status"), [("weights", 1), ("torch", 0)])
def test_a_terminal_takes_text_only(tmp_path: Path, target: str, status: int) -> None:
    import pty

    controller, terminal = pty.openpty()
    line = [sys.executable, "-m", "archspec", "compile", "lenet5", "-o", "-", "--target", target]
    process = subprocess.Popen(line, cwd=tmp_path, env=environment(), stdout=terminal, stderr=subprocess.PIPE)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:  # Linux: the other end is closed
        pass
    _, errors = process.communicate()
    os.close(controller)
    assert process.returncode == status
    if status:
        assert errors.startswith(b"error[unwritable-file]: a .safetensors file is not for a terminal\n")
    assert (b"class Lenet5(nn.Module):\r\n" in shown) == (not status)


@full
@pytest.mark.parametrize(
    ("command", "status"), [("check lenet5", 0), ("check none.yaml", 1), ("summary none", 1), ("nothing", 2)]
)
def test_what_stderr_cannot_take_is_lost_and_the_status_stays(tmp_path: Path, command: str, status: int) -> None:
    for redirection in ("2> /dev/full", "2>&-", "2>&- >&- <&-", "2> /dev/full > /dev/null"):
        if status != 1 or "summary" in command or ">&-" not in redirection:
            assert shell(f"{command} {redirection}", tmp_path).returncode == status, redirection


@posix
def test_a_file_never_takes_the_descriptor_of_a_closed_stream(tmp_path: Path) -> None:
    # A library that prints to descriptor 1 or 2 would write into the file.
    script = "import os; from archspec.cli.process import occupy_standard_descriptors as occupy; occupy(); "
    script += "print(os.open('a', os.O_CREAT | os.O_WRONLY), file=open('b', 'w'))"
    subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{script}" <&- >&- 2>&-'], cwd=tmp_path, env=environment(), check=True
    )
    assert int((tmp_path / "b").read_text()) > 2


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "cp437", "utf-16"])
@pytest.mark.parametrize("command", ["summary lenet5", "list lenet5", "--help", "draw --help", "check 畳.yaml"])
def test_every_encoding_can_be_printed(tmp_path: Path, command: str, encoding: str) -> None:
    (tmp_path / "畳.yaml").write_text('archspec: 1\nname: n\ninput: [3]\nlayers: ["─畳é"]\n', "utf-8")
    done = shell(command, tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == (1 if "check" in command else 0)
    done.stdout.decode(encoding)


# The target of the command line says that its draft is written, and waits.
WAITING = """
import signal, time
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from archspec.lower import atomic_write
put = atomic_write.put
def slow(path, pieces):
    put(path, pieces)
    print("ready", flush=True)
    time.sleep(60)
atomic_write.put = slow
from archspec.cli import main
main()
"""


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_leaves_no_draft_and_ends_the_process(tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "compile", "lenet5", "-o", "a.py"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == -number
    assert not list(tmp_path.iterdir())


@posix
def test_a_signal_that_is_ignored_stays_ignored() -> None:
    script = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
    script += "from archspec.cli.process import signals_raise\n"
    script += "with signals_raise(): signal.raise_signal(signal.SIGHUP)\n"  # as under nohup
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True)


@posix
@pytest.mark.parametrize(
    "command", ["check -", "summary resnet18", "list lenet", "check none.yaml", "check - --path x"]
)
def test_a_working_directory_that_is_gone(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    spec = "archspec: 1\nname: n\ninput: [3, 8, 8]\nimport: blocks/residual.yaml\nlayers: [relu]\n"
    script = "import os, sys; os.chdir('gone'); os.rmdir('../gone'); from archspec.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *command.split()], cwd=tmp_path, env=environment(), input=spec.encode(),
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if "none" in command or "path" in command else 0), done.stderr
    assert b"Traceback" not in done.stderr
