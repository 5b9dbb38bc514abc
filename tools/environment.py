"""The virtual environment of a checkout: `.venv`, created on first use with pinned versions."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = ROOT / "tools" / "pins"
TORCH = "2.13.0"
UV = "0.13.8"


def run(extra: str, arguments: list[str]) -> int:
    """Run Python in the environment, which is created or updated first. Returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file also runs on an older Python
        return _with_newer_python()
    _make(extra)
    return subprocess.run([PYTHON, *arguments], check=False).returncode


def _with_newer_python() -> int:
    """Run the same command with a newer Python, if one is on the path."""
    for minor in (11, 12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            return subprocess.run([found, *sys.argv], check=False).returncode
    sys.stderr.write("archspec needs Python 3.11 or newer\n")
    return 1


def _make(extra: str) -> None:
    """Install the pinned packages whose stamp files do not exist yet."""
    wanted = ["run.txt", *([f"{extra}.txt"] if extra else [])]
    missing = [name for name in wanted if not _stamp(name).exists()]
    if not missing:
        return
    if not PYTHON.exists():
        _say("making .venv (once; this takes a few minutes)")
        venv.EnvBuilder(with_pip=True, clear=True).create(HOME)
    for name in missing:
        if name == "run.txt":
            _install_torch()
        _say(f"installing what tools/pins/{name} lists")
        _pip("-r", str(PINS / name))
        if name == "run.txt":
            _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        for old in HOME.glob(f"installed-{name}-*"):
            old.unlink()
        _stamp(name).touch()


def _stamp(name: str) -> Path:
    """The stamp file: it exists if the current version of a list of pins is installed."""
    content = (PINS / name).read_bytes() + (ROOT / "pyproject.toml").read_bytes() + TORCH.encode()
    return HOME / f"installed-{name}-{hashlib.sha256(content).hexdigest()[:16]}"


def _install_torch() -> None:
    """Install PyTorch: the GPU build if there is a GPU, else the CPU build, which is far smaller.

    On Linux the plain version includes gigabytes of CUDA libraries. The CPU build is first requested by its full
    version, in case pip is configured with an index that has it; otherwise uv selects the index.
    """
    _say(f"installing PyTorch {TORCH}")
    if not sys.platform.startswith("linux") or _has_gpu():
        _pip(f"torch=={TORCH}")
    elif _try_pip(f"torch=={TORCH}+cpu") != 0:
        _pip(f"uv=={UV}")
        command = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, "--torch-backend", "cpu"]
        subprocess.run([*command, f"torch=={TORCH}"], check=True, stdout=sys.stderr)


def _has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def _pip(*arguments: str) -> None:
    if _try_pip(*arguments, quiet=False) != 0:
        sys.exit(f"could not install {' '.join(arguments)}")


def _try_pip(*arguments: str, quiet: bool = True) -> int:
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(
        command, check=False, stdout=sys.stderr, stderr=subprocess.DEVNULL if quiet else None
    ).returncode


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
