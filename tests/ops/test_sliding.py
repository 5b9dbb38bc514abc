"""A window with its numbers along each axis."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from archspec.ops.geometry import extent, slide
from archspec.ops.sliding import Sliding

small = st.integers(1, 6)


@given(st.integers(1, 40), small, small, small, st.tuples(st.integers(0, 5), st.integers(0, 5)), st.booleans())
def test_the_overhang_is_the_padding_that_a_last_partial_window_lacks(
    n: int, f: int, s: int, d: int, pads: tuple[int, int], ceil: bool
) -> None:
    positions = slide(n, f, s, d, pads, ceil=ceil)
    assume(positions >= 1)
    window = Sliding((f,), (s,), (d,), (pads,))
    (rows,) = window.overhang([n], [positions])
    (signed,) = window.signed_overhang([n], [positions])
    assert rows == max(0, signed)
    assert (rows > 0) == (positions > slide(n, f, s, d, pads))
    assert rows < s
    if rows:
        assert slide(n, f, s, d, (pads[0], pads[1] + rows)) == positions
        assert (positions - 1) * s + extent(f, d) == n + sum(pads) + rows
