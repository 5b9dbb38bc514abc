"""Formulas of sizes: their arithmetic is that of the numbers, and what is said of all sizes holds at each."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.lower.dynamic.symbolic_size import (
    Axis,
    Comparisons,
    Size,
    SizeNeeded,
    at_least,
    grows,
    holds_at_many_sizes,
    least,
    same_size,
    size_at,
    smallest,
)

HEIGHT, WIDTH = Axis("input", 2, 32), Axis("input", 3, 30)


def size(axis: Axis, *, assumed: bool = False) -> Size:
    return Size({(axis,): 1}, Comparisons(assumed))


h, w = size(HEIGHT), size(WIDTH)

Formula = Callable[..., int]
"""A function of height and width, which may be numbers or formulas."""

leaves = st.one_of(
    st.just(lambda h, w: h), st.just(lambda h, w: w), st.integers(-4, 9).map(lambda number: lambda h, w: number)
)


def _binary(formulas: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    def apply(operation: Callable[[int, int], int], left: Formula, right: Formula) -> Formula:
        return lambda h, w: operation(left(h, w), right(h, w))

    def divide(operation: Callable[[int, int], int], left: Formula, divisor: int) -> Formula:
        return lambda h, w: operation(left(h, w), divisor)

    whole = st.builds(apply, st.sampled_from([operator.add, operator.sub, operator.mul]), formulas, formulas)
    rounded = st.builds(
        divide, st.sampled_from([operator.floordiv, operator.mod]), formulas, st.sampled_from([1, 2, 3, 4, 6, -2])
    )
    return st.one_of(whole, rounded)


formulas = st.recursive(leaves, _binary, max_leaves=8)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(formulas, st.integers(1, 70), st.integers(1, 70))
def test_the_arithmetic_is_that_of_numbers(formula: Formula, height: int, width: int) -> None:
    result = formula(h, w)
    assert size_at(result, {("input", 2): height, ("input", 3): width}) == formula(height, width)
    assert str(result) == str(formula(32, 30))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (-(-h // 2), (h - 1) // 2 + 1),  # padding same, and a kernel of 3 with padding 1
        (((h + 1) // 2 + 1) // 2, (h - 1) // 4 + 1),  # two strides of 2, and one of 4
        ((4 * h) // 2, 2 * h),
        ((2 * h + 3) // 4, (h + 1) // 2),
        (h * w * 12 // 4 // h, 3 * w),
        (h % 4 + h // 4 * 4, h),
    ],
)
def test_equal_sizes_have_one_form(left: Size, right: Size) -> None:
    assert left == right
    assert same_size(left, right)
    assert hash(left) == hash(right)


def test_what_depends_on_the_size_is_refused() -> None:
    for needed in (
        lambda: h == 32, lambda: h > 3, lambda: bool(h), lambda: range(h), lambda: [1, 2][h], lambda: h / 2,
        lambda: np.asarray([h], np.int64), lambda: np.ones(h), lambda: h.bit_length(), lambda: float(h), lambda: 7 // h,
    ):  # fmt: skip
        with pytest.raises(SizeNeeded):
            needed()
    assert h + 1 > h
    assert h != h - 1


def test_comparisons_can_be_assumed_and_are_kept() -> None:
    n = size(HEIGHT, assumed=True)
    assert n == 32
    assert n // 2 >= 5
    assert not n < 4
    assert [(repr(a), repr(b)) for a, b in n.comparisons.equations] == [("input[2]", "32")]
    assert [least(requirement, HEIGHT) for requirement in n.comparisons.requirements] == [10, 4]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (h, 32, False),
        (h // 4, 8, False),
        (h - 24, h // 4, False),
        (h * w, 960, False),
        (2 * (h // 2), h, True),
        (h % 4, 0, True),
        (h, w, True),
        ((h + 7) // 8, h // 8, True),
    ],
)
def test_equations_that_hold_at_many_sizes(left: Size, right: Size | int, expected: bool) -> None:
    assert holds_at_many_sizes(left, right) == expected  # type: ignore[arg-type]  # a Size stands for an int


def test_the_smallest() -> None:
    assert smallest([h, h]) is h
    assert smallest([3, 2]) == 2
    both, limited = smallest([h, w + 4]), at_least(8, h)
    for height, width in ((5, 9), (20, 3), (8, 4)):
        sizes = {("input", 2): height, ("input", 3): width}
        assert size_at(both, sizes) == min(height, width + 4)
        assert size_at(limited, sizes) == max(8, height)
    assert not grows(h - 2 * (h // 2))
    assert grows(h - 7)
