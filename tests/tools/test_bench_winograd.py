"""`tools/bench_winograd.py` compares the measured gain with the expected one."""

from __future__ import annotations

from dataclasses import replace

from tools.bench_winograd import QUICK, lines


def test_a_line_compares_measured_and_expected_gain() -> None:
    title, line = lines(replace(QUICK, threads=1))
    assert title.split() == ["layer", "direct", "Winograd", "gain", "expected"]
    assert line.startswith("4 -> 8 at 6x6")
    assert line.endswith("0.04 x")
