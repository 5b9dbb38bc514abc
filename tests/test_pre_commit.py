"""The hook for users' repositories runs, and the configuration of our own hooks names what exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

import archspec

ROOT = Path(archspec.__file__).parent.parent
GOOD = "archspec: 1\nname: n\ninput: [3, 8, 8]\nlayers: [conv: {channels: 4, kernel: 3}, relu]\n"


def test_the_hook_passes_good_specs_and_fails_on_bad_ones(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"], hook["types"]) == ("archspec-check", "python", ["yaml"])
    program, *arguments = shlex.split(hook["entry"])
    assert program == "archspec"
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("relu", "rleu"))
    for files, code in ((["good.yaml"], 0), (["good.yaml", "bad.yaml"], 1)):
        command = [sys.executable, "-m", "archspec", *arguments, *files]
        environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr


def test_the_examples_for_ci_run_what_exists(tmp_path: Path) -> None:
    page = (ROOT / "specs" / "USAGE.md").read_text("utf-8")
    examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    (job,) = (job for example in examples for job in example.get("jobs", {}).values())
    (program, *arguments) = shlex.split(job["steps"][-1]["run"])
    (hook,) = (hook for example in examples for repo in example.get("repos", []) for hook in repo["hooks"])
    assert (program, hook["id"]) == ("archspec", "archspec-check")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "good.yaml").write_text(GOOD)
    for words in (arguments, ["check", *hook["args"], "specs/good.yaml"]):
        command = [sys.executable, "-m", "archspec", *words]
        done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_our_own_hooks_run_what_the_tests_run() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    checks = [shlex.split(hook["entry"])[2] for hook in repo["hooks"]]
    assert checks == ["ruff", "ruff", "mypy"]
