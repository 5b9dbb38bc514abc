"""`tools/bench_models.py` and `tools/measure.py`: every comparison runs, and the arithmetic is correct."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import archspec
from tools.measure import Row, Table, interleaved

ROOT = Path(archspec.__file__).parent.parent


def test_a_quick_run_compares_all_contenders(tmp_path: Path) -> None:
    tool, options = ROOT / "tools" / "bench_models.py", ["--quick", "--threads", "1", "--json", "m.json"]
    done = subprocess.run(
        [sys.executable, tool, *options],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "m.json").read_text())
    assert (result["rounds"], result["threads"]) == (2, 1)
    assert result["versions"]["torch"]
    titles = {table["title"]: [row["name"] for row in table["rows"]] for table in result["tables"]}
    assert {title.partition(": ")[2] for title in titles} == {
        "inference, batch 1", "forward, batch 1", "training step, batch 2", "checkpoint to ONNX file"
    }  # fmt: skip
    for table in result["tables"]:
        assert table["title"] in done.stdout
        alike = "forward" in table["title"] or "training" in table["title"]
        assert all(len(row["seconds"]) == (10 if alike else 2) for row in table["rows"])
    who = titles["squeezenet1_1: inference, batch 1"]
    assert who[0] == "torchvision, eager"
    assert {"archspec: module", "ONNX Runtime on archspec's optimised file"} < set(who)
    assert all(f"left out: {line}" in done.stdout for line in result["left_out"])


def test_ratios_are_of_the_same_round() -> None:
    row = Row("second", [2.0, 9.0, 4.0], [1.0, 3.0, 4.0])
    assert row.ratios == [2, 3, 1]
    assert row.as_json()["ratio"] == {"median": 2, "least": 1, "most": 3}
    assert list(Table("title", [row]).lines(unit=1)) == [
        "title",
        f"  {'second':<54} {4:9.2f} s  (min {2:8.2f})  {2:8.2f} x  (1.00 to 3.00)",
    ]


def test_contenders_alternate() -> None:
    calls: list[str] = []
    contenders = [(name, lambda name=name: calls.append(name)) for name in "abc"]

    def clock(work) -> float:
        work()
        return {"a": 1.0, "b": 2.0, "c": 3.0}[calls[-1]]

    table = interleaved("title", contenders, rounds=3, clock=clock)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert [row.median for row in table.rows] == pytest.approx([1, 2, 3])
    assert [row.ratios for row in table.rows] == [[1] * 3, [2] * 3, [3] * 3]
