"""Columns fit where they can, and give way in the order promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.report.text_table import fitting

ROWS = [
    ("layer", "op", "params", "memory"),
    ("a.long.name.of.a.layer", "conv", "9,408", "3.21 MB"),
    ("b", "relu", "", "0 B"),
]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (None, ["layer                   op    params   memory", "a.long.name.of.a.layer  conv   9,408  3.21 MB"]),
        (45, ["layer                   op    params   memory", "a.long.name.of.a.layer  conv   9,408  3.21 MB"]),
        (42, ["layer                  op   params  memory", "a.long.name.of.a.layer conv  9,408 3.21 MB"]),
        (34, ["layer                  op   params", "a.long.name.of.a.layer conv  9,408"]),
        (28, ["layer            op   params", "a.long.name.of.… conv  9,408"]),
        (5, ["layer    op   params", "a.long.… conv  9,408"]),
    ],
)
def test_gaps_shrink_then_columns_go_then_the_first_is_cut(width: int | None, lines: list[str]) -> None:
    head, rule, first, _ = fitting(ROWS, width, left=2, needed=3)
    assert [head, first] == lines
    assert set(rule) == {"─"}
    assert len(rule) == max(map(len, lines))


cells = st.text("abc.019", max_size=12)


@given(st.lists(st.tuples(cells, cells, cells, cells), min_size=1), st.integers(40, 90))
def test_no_line_is_wider_than_it_may_be(rows: list[tuple[str, ...]], width: int) -> None:
    lines = fitting([("one", "two", "three", "four"), *rows], width, left=2, needed=3)
    assert len(lines) == len(rows) + 2
    assert max(map(len, lines)) <= width
