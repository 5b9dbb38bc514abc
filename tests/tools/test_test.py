"""`./tools/test` checks what is ours, whatever else lies in the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


def test_what_a_user_compiles_into_the_checkout_is_not_linted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    tool = ModuleType("tool")
    SourceFileLoader("tool", str(ROOT / "tools" / "test")).exec_module(tool)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for place in tool.OURS:
        shutil.copy(ROOT / place, tmp_path) if Path(place).suffix else (tmp_path / place).mkdir()
    (tmp_path / "tools" / "ours.py").write_text('"""Ours."""\n')
    (tmp_path / "resnet18.py").write_text("import os\nprint( 'what users do' )\n")
    for check in tool.CHECKS[:2]:
        done = subprocess.run([sys.executable, *check], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
