"""`tools/bench_winograd.py` measures, and leaves the rule as it is."""

from __future__ import annotations

from dataclasses import replace

from archspec.runtime import winograd
from tools.bench_winograd import QUICK, lines


def test_a_line_holds_what_is_measured_against_what_is_expected() -> None:
    usual = winograd.GAIN
    title, line = lines(replace(QUICK, threads=1))
    assert title.split() == ["layer", "plain", "Winograd", "gain", "expected"]
    assert line.startswith("4 -> 8 at 6x6")
    assert line.endswith("0.04 x")
    assert usual == winograd.GAIN
