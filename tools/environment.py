"""The checkout's own environment: `.venv`, made on first use with pinned versions."""

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
    """Run Python in the environment, made or brought up to date first; the exit code of the run."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file is what tells an older Python so
        return _with_newer_python()
    _make(extra)
    return subprocess.run([PYTHON, *arguments], check=False).returncode


def _with_newer_python() -> int:
    """Start again with a Python that is new enough, if one is on the path."""
    for minor in (11, 12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            return subprocess.run([found, *sys.argv], check=False).returncode
    sys.stderr.write("archspec needs Python 3.11 or newer\n")
    return 1


def _make(extra: str) -> None:
    """Install what the pins say, unless a stamp says it is installed."""
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
    """The file that says a list of pins is installed as it stands."""
    content = (PINS / name).read_bytes() + (ROOT / "pyproject.toml").read_bytes() + TORCH.encode()
    return HOME / f"installed-{name}-{hashlib.sha256(content).hexdigest()[:16]}"


def _install_torch() -> None:
    """PyTorch: the build for the GPU where there is one, else the build for the CPU, which is far smaller.

    On Linux the plain name means a build with gigabytes of CUDA. The CPU build is asked for by its full version first,
    for machines whose pip knows where it is; else uv knows.
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
