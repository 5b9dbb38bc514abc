"""Missing libraries: a diagnostic that names what needs the library and the command that installs it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from types import ModuleType

import pytest

from archspec.diagnostics import ArchspecError
from archspec.lower.optional_deps import is_installed, require

SCRIPT = """
import sys
sys.modules[{library!r}] = None
import archspec
net = archspec.load("lenet5")
try:
    {use}
except archspec.ArchspecError as error:
    (diagnostic,) = error.diagnostics
    print(diagnostic.code, diagnostic.help)
"""

TORCH, ONNXRUNTIME = (f"pip install 'archspec-compiler[{name}]'" for name in ("torch", "onnxruntime"))


@pytest.mark.parametrize(
    ("library", "command"),
    [
        ("torch", TORCH),
        ("keras", "pip install 'archspec-compiler[keras]'; with KERAS_BACKEND=torch it runs on PyTorch"),
        ("onnxruntime", ONNXRUNTIME),
        ("onnx", "pip install onnx"),
    ],
)
def test_the_help_is_the_command_that_installs_it(library: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ArchspecError) as error:
        require(library, "this test")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "missing-library"
    assert diagnostic.message.startswith(f"this test needs {library}, which cannot be imported: ")
    assert diagnostic.help == command
    assert not is_installed(library)


@pytest.mark.parametrize(("installed", "accepted"), [("2.5.1+cu124", False), ("2.6.0", True), ("2.13.0a0+git1", True)])
def test_a_library_can_be_too_old_for_a_use(installed: str, accepted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("torch")
    library.__version__ = installed  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", library)
    with nullcontext() if accepted else pytest.raises(ArchspecError) as error:
        require("torch", "this test", oldest=(2, 6))
    if error is not None:
        (diagnostic,) = error.value.diagnostics
        assert diagnostic.message == f"this test needs torch 2.6 or newer, and {installed} is installed"
        assert diagnostic.help == "pip install --upgrade 'archspec-compiler[torch]'"


@pytest.mark.parametrize(
    ("library", "use", "command"),
    [
        ("numpy", "net.weights()", "pip install numpy"),
        ("numpy", "net.optimized()", "pip install numpy"),
        ("numpy", "net.to_torch()", "pip install numpy"),
        ("numpy", "net.to_onnx('net.onnx')", "pip install numpy"),
        ("safetensors", "net.save_weights('net.safetensors')", "pip install safetensors"),
        ("onnx", "net.to_onnx('net.onnx')", "pip install onnx"),
        ("torch", "net.to_torch()", TORCH),
        ("torch", "net.to_program('net.pt2')", TORCH),
        ("torch", "net.to_onnx('net.onnx', verify=True)", TORCH),
    ],
)
def test_methods_of_a_network_report_a_missing_library(library: str, use: str, command: str) -> None:
    script = SCRIPT.format(library=library, use=use)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"missing-library {command}"
