"""The virtual environments of a checkout, created on first use with pinned versions."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tools" / "pins"
UV = "0.13.8"


class Environment:
    """A virtual environment with a version of PyTorch and the packages of a list of pins."""

    def __init__(self, folder: str, torch: str, pins: str) -> None:
        self.home = ROOT / folder
        self.python = self.home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.torch = torch
        self.pins = pins

    def run(self, arguments: list[str], extra: str = "") -> int:
        """Run Python in the environment, which is created or updated first, with a second list of pins if given.

        Returns the exit code.
        """
        if sys.version_info < (3, 11):  # noqa: UP036  # this file also runs on an older Python
            return _with_newer_python()
        self._make([self.pins, extra] if extra else [self.pins])
        return subprocess.run([self.python, *arguments], check=False).returncode

    def _make(self, wanted: list[str]) -> None:
        """Install the pinned packages whose stamp files do not exist yet."""
        missing = [name for name in wanted if not self._stamp(name).exists()]
        if not missing:
            return
        if not self.python.exists():
            _say(f"making {self.home.name} (once; this takes a few minutes)")
            venv.EnvBuilder(with_pip=True, clear=True).create(self.home)
        for name in missing:
            if name == self.pins:
                self._install_torch()
            _say(f"installing what tools/pins/{name}.txt lists")
            self._pip("-r", str(PINS / f"{name}.txt"))
            if name == self.pins:
                self._pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
            for old in self.home.glob(f"installed-{name}-*"):
                old.unlink()
            self._stamp(name).touch()

    def _stamp(self, name: str) -> Path:
        """The stamp file: it exists if the current version of a list of pins is installed."""
        content = (PINS / f"{name}.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes() + self.torch.encode()
        return self.home / f"installed-{name}-{hashlib.sha256(content).hexdigest()[:16]}"

    def _install_torch(self) -> None:
        """Install PyTorch: the GPU build if there is a GPU, else the CPU build, which is far smaller.

        On Linux the plain version includes gigabytes of CUDA libraries. The CPU build is first requested by its full
        version, in case pip is configured with an index that has it; otherwise uv selects the index.
        """
        version = f"torch=={self.torch}"
        _say(f"installing PyTorch {self.torch}")
        if not sys.platform.startswith("linux") or _has_gpu():
            self._pip(version)
        elif self._try_pip(f"{version}+cpu") != 0:
            self._pip(f"uv=={UV}")
            uv = [self.python, "-m", "uv", "pip", "install", "--quiet", "--python", self.python]
            subprocess.run([*uv, "--torch-backend", "cpu", version], check=True, stdout=sys.stderr)

    def _pip(self, *arguments: str) -> None:
        if self._try_pip(*arguments, quiet=False) != 0:
            sys.exit(f"could not install {' '.join(arguments)}")

    def _try_pip(self, *arguments: str, quiet: bool = True) -> int:
        command = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
        stderr = subprocess.DEVNULL if quiet else None
        return subprocess.run(command, check=False, stdout=sys.stderr, stderr=stderr).returncode


CURRENT = Environment(".venv", "2.13.0", "run")
OLDEST = Environment(".venv-oldest", "2.8.0", "oldest")
"""The oldest versions that pyproject.toml declares."""


def _with_newer_python() -> int:
    """Run the same command with a newer Python, if one is on the path."""
    for minor in (11, 12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            return subprocess.run([found, *sys.argv], check=False).returncode
    sys.stderr.write("archspec needs Python 3.11 or newer\n")
    return 1


def _has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
