"""Commands without optional libraries: each works, or reports the command that installs the library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archspec

ROOT = Path(archspec.__file__).parent.parent

WITHOUT = """
import sys
sys.modules[{library!r}] = None
from archspec.cli import main
sys.argv[0] = "archspec"
main()
"""

COMMANDS = (
    "--version", "check lenet5", "summary lenet5", "list lenet", "schema", "weights lenet5 w.safetensors",
    "compile lenet5 -o a.py", "compile lenet5 -o a.py --target keras", "compile lenet5 -o a.onnx",
    "compile lenet5 -o a.onnx --verify", "compile lenet5 -o a.onnx -O", "compile lenet5 -o a.safetensors",
    "compile lenet5 -o a.json", "compile lenet5 -o a.pt2", "draw lenet5 -o a.dot", "draw lenet5 -o a.svg",
    "bench lenet5 --seconds 0",
)  # fmt: skip

NEEDED = {
    "torch": ("--verify", ".pt2", "bench"),
    "onnx": (".onnx",),
    "onnxruntime": ("--verify",),
    "keras": (),
    "numpy": (".onnx", ".safetensors", ".pt2", "bench", "weights"),
    "safetensors": (".onnx", ".safetensors", ".pt2", "weights"),
    "graphviz": ("draw",),
    "pygraphviz": ("draw lenet5 -o a.svg",),
    "networkx": (),
}
"""The commands that may need a library, by a part of their words."""


@pytest.mark.parametrize("library", NEEDED)
def test_a_command_works_or_names_what_to_install(library: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "archspec", "compile", "lenet5", "-o", "w.safetensors"], cwd=tmp_path, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
    )  # fmt: skip
    for command in COMMANDS:
        needs = any(part in command for part in NEEDED[library])
        if not needs and command.startswith("bench"):
            continue  # slow, and the same for every library that it does not need
        if library == "networkx" and command.endswith(".pt2"):
            continue  # PyTorch itself needs networkx
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT.format(library=library), *command.split()],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, f"{command} without {library}: {done.stderr}"
        if done.returncode:
            assert needs, f"{command} without {library}: {done.stderr}"
            assert "error[missing-library]" in done.stderr
            assert "help: pip install" in done.stderr
