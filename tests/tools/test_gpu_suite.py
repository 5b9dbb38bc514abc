"""`tools/gpu_suite.py` on the CPU: every part that needs no GPU runs, and disagreement is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import nan
from pathlib import Path

import pytest
import torch

import archspec
from tools.gpu.agreement import Agreement, agreements
from tools.gpu.speed import settings

ROOT = Path(archspec.__file__).parent.parent


def run(*options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "gpu_suite.py", *options],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_a_quick_run(tmp_path: Path) -> None:
    done = run("--device", "cpu", "--dtype", "float32", "--quick", "--json", "found.json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert {row["way"] for row in found["agreement"]} == {"float32", "channels last", "bfloat16"}
    assert all(row["good"] for row in found["agreement"])
    assert [table["mode"] for table in found["speed"]] == ["inference", "training"]
    for table in found["speed"]:
        assert {"torchvision, eager", "archspec: module"} < {row["name"] for row in table["rows"]}
    assert "memory: allocations are counted on a GPU only" in found["left_out"]
    assert f"{len(found['agreement'])} of {len(found['agreement'])} comparisons agree" in done.stdout


def test_without_time_everything_is_listed_as_left_out(tmp_path: Path) -> None:
    done = run("--device", "cpu", "--quick", "--budget", "0", "--json", "found.json", folder=tmp_path)
    assert done.returncode == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["agreement"], found["speed"]) == ([], [])
    assert all(f"left out: {line}" in done.stdout for line in found["left_out"])
    assert "lenet5: no time left" in found["left_out"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_reported(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert done.returncode == 2
    assert "cannot run: PyTorch finds no GPU" in done.stdout


def test_a_difference_is_reported() -> None:
    for forward, backward, reason in ((0.2, 0.0, ""), (0.0, 0.2, ""), (nan, 0.0, ""), (0.0, 0.0, "no kernel")):
        row = Agreement("net", "float32", forward, backward, (0.1, 0.1), reason)
        assert not row.good
        assert "DIFFERS" in row.line() or "CANNOT RUN: no kernel" in row.line()
        json.dumps(row.as_json(), allow_nan=False)
    assert Agreement("net", "float32", 0.1, 0.0, (0.1, 0.1)).good


def test_a_way_that_cannot_run_is_a_row() -> None:
    rows = list(agreements(archspec.load("lenet5"), torch.device("meta")))
    assert [row.way for row in rows] == ["float32", "channels last", "bfloat16"]
    assert not any(row.good for row in rows)


def test_the_middle_batch_comes_first() -> None:
    found = list(settings([("net", (3, 8, 8))], (1, 32, 256), torch.float32, torch.device("cpu"), compiled=False))
    assert [(setting.batch, setting.mode) for setting in found][:3] == [
        (32, "inference"),
        (32, "training"),
        (1, "inference"),
    ]
