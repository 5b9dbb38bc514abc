"""Laws of the integer arithmetic, and agreement with PyTorch's own layers on real tensors."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn, zeros

from archspec.ops.geometry import (
    adaptive_bounds,
    ceil_pads_at_any_size,
    extent,
    same_pads,
    same_pads_at_any_size,
    slide,
    unread,
    unslide,
)

small = st.integers(1, 6)
sizes = st.integers(1, 40)
pads = st.tuples(st.integers(0, 5), st.integers(0, 5))


@given(sizes, small, small, small, st.integers(0, 5))
def test_slide_is_what_a_convolution_leaves(n: int, f: int, s: int, d: int, p: int) -> None:
    assume(extent(f, d) <= n + 2 * p)
    layer = nn.Conv1d(1, 1, f, stride=s, dilation=d, padding=p)
    assert slide(n, f, s, d, (p, p)) == layer(zeros(1, 1, n)).shape[2]


@given(sizes, small, small, small, st.booleans(), st.data())
def test_slide_is_what_a_pooling_leaves(n: int, f: int, s: int, d: int, ceil: bool, data: st.DataObject) -> None:
    p = data.draw(st.integers(0, f // 2))
    layer = nn.MaxPool1d(f, stride=s, dilation=d, padding=p, ceil_mode=ceil)
    count = slide(n, f, s, d, (p, p), ceil=ceil)
    if count < 1:
        with pytest.raises(RuntimeError, match="size"):
            layer(zeros(1, 1, n))
    else:
        assert count == layer(zeros(1, 1, n)).shape[2]


@given(sizes, small, small, small)
def test_same_makes_the_output_the_input_over_the_stride(n: int, f: int, s: int, d: int) -> None:
    before, after = same_pads(n, f, s, d)
    assert slide(n, f, s, d, (before, after)) == -(-n // s)
    assert 0 <= after - before <= 1


@given(small, small, small)
def test_padding_that_is_same_at_any_size(f: int, s: int, d: int) -> None:
    """The windows begin at the same rows and are as many; there is none where the first row is another at some size."""
    pads = same_pads_at_any_size(f, s, d)
    exact = {n: same_pads(n, f, s, d) for n in range(1, 40)}
    if pads is None:
        assert len({before for before, _ in exact.values()}) > 1
        return
    assert {before for before, _ in exact.values()} == {pads[0]}
    assert all(slide(n, f, s, d, pads) == -(-n // s) for n in exact)


@given(sizes, small, small, small, pads)
def test_padding_that_rounds_up_at_any_size(n: int, f: int, s: int, d: int, around: tuple[int, int]) -> None:
    assume(max(around) < extent(f, d) <= n + sum(around))
    assert slide(n, f, s, d, ceil_pads_at_any_size(f, s, d, around)) == slide(n, f, s, d, around, ceil=True)


@given(sizes, small, small, small, st.data())
def test_unslide_is_what_a_transposed_convolution_leaves(n: int, f: int, s: int, d: int, data: st.DataObject) -> None:
    extra = data.draw(st.integers(0, max(s, d) - 1))
    p = data.draw(st.integers(0, 3))
    size = unslide(n, f, s, d, (p, p), extra)
    assume(size >= 1)
    layer = nn.ConvTranspose1d(1, 1, f, stride=s, dilation=d, padding=p, output_padding=extra)
    assert size == layer(zeros(1, 1, n)).shape[2]


@given(sizes, small, small, small, pads)
def test_unslide_undoes_slide_where_the_stride_divides(n: int, f: int, s: int, d: int, around: tuple[int, int]) -> None:
    count = slide(n, f, s, d, around)
    assume(count >= 1)
    left = (n + sum(around) - extent(f, d)) % s
    assert unslide(count, f, s, d, around, left) == n


@given(sizes, small, small, small, pads)
def test_unread_rows_are_those_behind_the_last_window(n: int, f: int, s: int, d: int, around: tuple[int, int]) -> None:
    count = slide(n, f, s, d, around)
    assume(count >= 1)
    end = (count - 1) * s + extent(f, d) - around[0]
    assert unread(n, f, s, d, around, count) == max(0, n - end)


@given(sizes, sizes)
def test_adaptive_windows_cover_the_input_in_order(n: int, m: int) -> None:
    bounds = adaptive_bounds(n, m)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == n - 1
    assert all(first <= last for first, last in bounds)
    assert all(b[0] <= a[1] + 1 and a[0] <= b[0] for a, b in pairwise(bounds))
