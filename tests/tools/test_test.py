"""`./tools/test` checks what is ours, whatever else lies in the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/test` as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    module = ModuleType("tool")
    SourceFileLoader("tool", str(ROOT / "tools" / "test")).exec_module(module)
    return module


def test_the_fast_set_is_there_and_comes_after_lint_and_types(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all((ROOT / place).exists() for place in tool.OLDEST_TESTS)
    runs: list[list[str]] = []
    monkeypatch.setattr(tool.CURRENT, "run", lambda command, extra: runs.append(command) or 0)
    monkeypatch.setattr(sys, "argv", ["test", "--fast"])
    assert tool.main() == 0
    assert [command[1] for command in runs] == ["ruff", "ruff", "mypy", "pytest"]
    assert set(tool.FAST) <= set(runs[-1])
    monkeypatch.setattr(sys, "argv", ["test", "-k", "padding"])
    runs.clear()
    assert tool.main() == 0
    assert [command[1:] for command in runs] == [["pytest", "-n", "auto", "-k", "padding"]]


def test_the_oldest_versions_are_those_that_the_package_declares(tool: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(each for name in ("torch", "keras", "onnxruntime") for each in project["optional-dependencies"][name]),
    ]
    pinned = (ROOT / "tools" / "pins" / "oldest.txt").read_text().lower().splitlines()
    assert {each.replace(">=", "==") for each in declared} - set(pinned) == {f"torch=={tool.OLDEST.torch}"}


def test_what_a_user_compiles_into_the_checkout_is_not_linted(tool: ModuleType, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for place in tool.OURS:
        shutil.copy(ROOT / place, tmp_path) if Path(place).suffix else (tmp_path / place).mkdir()
    (tmp_path / "tools" / "ours.py").write_text('"""Ours."""\n')
    (tmp_path / "resnet18.py").write_text("import os\nprint( 'what users do' )\n")
    for check in tool.CHECKS[:2]:
        done = subprocess.run([sys.executable, *check], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
