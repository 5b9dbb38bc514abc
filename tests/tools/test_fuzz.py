"""The tool that fuzzes: its table, and inputs that end the process."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from tests.fuzzing.inputs import Failure
from tools import fuzz


def test_the_table_counts_failures_by_kind() -> None:
    lines = list(fuzz.table({"texts": 2_000}, Counter({("texts", "raised ValueError"): 2}), 7, 60))
    assert "| mutated specs | 2,000 | 2 |" in lines
    assert "| texts: raised ValueError | | 2 |" in lines


def test_each_kind_of_failure_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [Failure(seed, b"layers: 7", "raised ValueError", "raised ValueError: 7") for seed in (3, 4)]
    monkeypatch.setattr(fuzz, "_failures", lambda what, *_: failures if what == "texts" else [])
    monkeypatch.setattr(fuzz.sys, "argv", ["fuzz.py", "100"])
    assert fuzz.main() == 1
    printed = capsys.readouterr().out
    assert printed.count("layers: 7") == 1
    assert "seed 3" in printed
    assert "| mutated files of weights | 2 | 0 |" in printed


def test_an_input_that_ends_its_process_is_reported_and_the_others_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "_work", _work)
    found = sorted(fuzz._failures("texts", 0, 4, 2), key=lambda failure: failure.seed)
    assert [(failure.seed, failure.kind) for failure in found] == [(2, "ends the process (7)"), (3, "tried")]


def _work(what: Any, first: int, end: int, step: int, current: Any, results: Any) -> None:
    """Seed 2 ends the process."""
    for seed in range(first, end, step):
        current.value = seed
        if seed == 2:
            os._exit(7)
        if seed == 3:
            results.put(Failure(seed, b"", "tried", "tried"))
    current.value = end
