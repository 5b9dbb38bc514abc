"""Receptive fields' algebra against the definition: run taps backwards, one output position at a time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.ir.window import runs
from archspec.ops import footprint
from archspec.ops.footprint import (
    IDENTITY,
    MOST_RUNS,
    Window,
    adaptive,
    compose,
    interpolated,
    join,
    nearest,
    normal,
    shifted,
    sliding,
    transposed,
)

Reads = Callable[[int], set[int]]
"""The input positions an output position reads, by definition."""

numbers = st.integers(1, 4)
pads = st.tuples(st.integers(0, 3), st.integers(0, 3))


def conv_reads(f: int, s: int, d: int, p: tuple[int, int]) -> Reads:
    return lambda o: {o * s - p[0] + d * j for j in range(f)}


def transposed_reads(f: int, s: int, d: int, p: tuple[int, int]) -> Reads:
    return lambda o: {i for i in range(o - 60, o + 60) for j in range(f) if i * s - p[0] + d * j == o}


def nearest_reads(scale: int) -> Reads:
    return lambda o: {o // scale}


Layer = tuple[Window, Reads]

layers: st.SearchStrategy[Layer] = st.one_of(
    st.builds(lambda f, s, d, p: (sliding(f, s, d, p), conv_reads(f, s, d, p)), numbers, numbers, numbers, pads),
    st.builds(
        lambda f, s, d, p: (transposed(f, s, d, p), transposed_reads(f, s, d, p)), numbers, numbers, numbers, pads
    ),
    st.builds(lambda s: (nearest(1, s), nearest_reads(s)), numbers),
)


def positions(window: Window, position: int) -> set[int]:
    """The input positions that the window of an output position holds."""
    return {i for first, last in runs(window.reach(position)) for i in range(first, last + 1)}


@given(st.lists(layers, min_size=1, max_size=4), st.integers(-6, 6))
def test_composition_is_taps_run_backwards(chain: list[Layer], position: int) -> None:
    whole: Window | None = IDENTITY
    for window, _ in chain:
        assert whole is not None
        whole = compose(window, whole)
    assert whole is not None
    places = {position}
    for _, reads in reversed(chain):
        places = {i for place in places for i in reads(place)}
    assert positions(whole, position) == places


@given(layers, layers, st.integers(-6, 6))
def test_join_is_the_union_of_both(one: Layer, other: Layer, position: int) -> None:
    both = join(one[0], other[0])
    if one[0].stride != other[0].stride:
        assert both is None
        return
    assert both is not None
    assert positions(both, position) == one[1](position) | other[1](position)


@given(st.lists(layers, min_size=3, max_size=3))
def test_composition_is_associative(chain: list[Layer]) -> None:
    a, b, c = (window for window, _ in chain)
    assert compose(compose(a, b), c) == compose(a, compose(b, c))


@given(layers, st.integers(-5, 5), st.integers(-5, 5))
def test_shifting_moves_positions(layer: Layer, by: int, position: int) -> None:
    assert shifted(layer[0], by).reach(position) == layer[0].reach(position + by)


@given(layers, st.integers(1, 3), st.integers(-5, 5))
def test_normal_form_says_the_same_in_the_shortest_period(layer: Layer, times: int, position: int) -> None:
    window = layer[0]
    count = len(window.reaches) * times
    again = normal(window.step * times, [window.reach(i) for i in range(count)])
    assert again == normal(window.step, window.reaches)
    assert again.reach(position) == window.reach(position)


def test_size_stride_and_offset_of_a_known_chain() -> None:
    # The formulas of Araujo, Norris, Sim (Distill 2019) for conv 3/2 pad 1, pool 2/2, conv 3 pad 1:
    # sizes 3, 5, 13; strides 2, 4, 4; the first position sees from -1, -1 and -5.
    whole = IDENTITY
    for window in (sliding(3, 2, 1, (1, 1)), sliding(2, 2, 1, (0, 0)), sliding(3, 1, 1, (1, 1))):
        whole = compose(window, whole)
    assert (whole.size, whole.stride, whole.offset) == (13, 4, -5)


def test_a_kernel_smaller_than_its_stride_leaves_holes() -> None:
    window = transposed(1, 2, 1, (0, 0))
    assert window.reaches == ((0, 0), None)
    assert window.size == 1
    assert window.stride == Fraction(1, 2)


def test_gaps_are_kept_and_count_in_the_size() -> None:
    # Taps at 0, 3, 6 and 9, of which those of one parity see a value: 0 and 3, or 2 and 5.
    window = compose(sliding(4, 1, 3, (0, 0)), transposed(1, 2, 1, (0, 0)))
    assert window is not None
    assert window.reaches == ((0, 0, 3, 3), (2, 2, 5, 5))
    assert window.sizes == (4, 4)


def test_many_gaps_count_as_read() -> None:
    whole: Window | None = IDENTITY
    for level in range(12):  # each position sees 2^12 others, no two of them neighbours
        assert whole is not None
        whole = compose(sliding(2, 1, 3**level * 2, (0, 0)), whole)
        assert whole is not None
        assert whole.size == sum(2 * 3**i for i in range(level + 1)) + 1
        assert sum(1 for _ in runs(whole.reaches[0])) <= MOST_RUNS


@given(st.lists(layers, min_size=2, max_size=4), st.integers(-6, 6))
def test_what_is_too_long_to_list_only_becomes_larger(chain: list[Layer], position: int) -> None:
    wide, exact = IDENTITY, IDENTITY
    for window, _ in chain:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(footprint, "MOST_STEPS", 0)
            patch.setattr(footprint, "MOST_RUNS", 1)
            composed = footprint._compose.__wrapped__(window, wide)
        together = compose(window, exact)
        assert composed is not None
        assert together is not None
        wide, exact = composed, together
    assert positions(wide, position) >= positions(exact, position)


def test_linear_upsampling_reads_two_neighbours() -> None:
    # Half-pixel centres: output 0 of x2 lies at -1/4, between -1 and 0; output 1 at 1/4, between 0 and 1.
    assert interpolated(1, 2, 1, Fraction(1)).reaches == ((-1, 0), (0, 1))


def test_antialiasing_reads_the_rows_between_two_outputs() -> None:
    # A third of the rows: output 0 lies on row 1, and the filter is 0 three rows from there.
    assert interpolated(3, 1, 1, Fraction(3)).reaches == ((-1, 3),)
    assert interpolated(3, 1, 2, Fraction(3)).reaches == ((-4, 6),)


def test_adaptive_pooling_to_its_own_size_is_the_identity() -> None:
    assert adaptive(6, 6) == IDENTITY
    assert adaptive(6, 3) == sliding(2, 2, 1, (0, 0))
    assert adaptive(5, 2).reaches == ((0, 2), (2, 4))
