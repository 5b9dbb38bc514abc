"""The algebra of windows: those of each kind of op, and how windows compose and join along a path.

Receptive fields are composed in it; `archspec.ir.window.Window` is what it computes with.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import floor, gcd, lcm

from archspec.ir.window import IDENTITY, Reach, Window, union
from archspec.ops.geometry import Pads, adaptive_bounds

__all__ = [
    "IDENTITY",
    "LONGEST_PERIOD",
    "Window",
    "adaptive",
    "compose",
    "join",
    "linear",
    "nearest",
    "normal",
    "shifted",
    "sliding",
    "transposed",
]

_AXES = 16
"""How many of the last windows are remembered: the axes of a layer mostly ask for the same ones."""

LONGEST_PERIOD = 4096
"""The longest period that is worked out; an axis with a longer one counts as seen whole."""


@lru_cache(maxsize=_AXES)
def sliding(kernel: int, stride: int, dilation: int, pads: Pads) -> Window:
    """The window of a convolution or a pooling."""
    return Window(stride, ((-pads[0], -pads[0] + dilation * (kernel - 1)),))


def transposed(kernel: int, stride: int, dilation: int, pads: Pads) -> Window | None:
    """The window of a transposed convolution: output o reads input i where o = i s - p + d j for a tap j.

    The taps of an output are the solutions of d j = o + p modulo s, so they lie s / gcd(d, s) apart. None where the
    period is too long.
    """
    if stride > LONGEST_PERIOD:
        return None
    common = gcd(dilation, stride)
    apart = stride // common

    def reach(output: int) -> Reach | None:
        place = output + pads[0]
        first = place // common * pow(dilation // common, -1, apart) % apart
        if place % common or first >= kernel:
            return None
        last = first + (kernel - 1 - first) // apart * apart
        return (place - dilation * last) // stride, (place - dilation * first) // stride

    return normal(1, [reach(output) for output in range(stride)])


def adaptive(size: int, count: int) -> Window | None:
    """The window of an adaptive pooling from `size` positions to `count`; None where the period is too long."""
    common = gcd(size, count)
    if count // common > LONGEST_PERIOD:
        return None
    return normal(size // common, adaptive_bounds(size // common, count // common))


def compose(outer: Window, inner: Window) -> Window | None:
    """What the outputs of `outer` see of the input of `inner`, when `outer` reads what `inner` makes.

    None where the period is too long.
    """
    if inner is IDENTITY:
        return outer
    if outer is IDENTITY:
        return inner
    if len(outer.reaches) == len(inner.reaches) == 1 and (near := outer.reaches[0]) and (far := inner.reaches[0]):
        seen = (near[0] * inner.step + far[0], near[1] * inner.step + far[1])
        return Window(outer.step * inner.step, (seen,))
    return _compose(outer, inner)


@lru_cache(maxsize=_AXES)
def _compose(outer: Window, inner: Window) -> Window | None:
    """`compose`, where the period of one of them is longer."""
    rounds = len(inner.reaches) // gcd(outer.step, len(inner.reaches))
    period = len(outer.reaches) * rounds
    if period > LONGEST_PERIOD:
        return None
    step = outer.step * rounds // len(inner.reaches) * inner.step
    reaches: list[Reach | None] = []
    for position in range(period):
        reach = outer.reach(position)
        reaches.append(inner.hull(*reach) if reach else None)
    return normal(step, reaches)


def join(first: Window, second: Window) -> Window | None:
    """What a position sees that reads the same position of two values; None where they drift apart for ever.

    None, too, where the period is too long.
    """
    return first if first is second or first == second else _join(first, second)


@lru_cache(maxsize=_AXES)
def _join(first: Window, second: Window) -> Window | None:
    """`join`, where the two differ."""
    if first.stride != second.stride:
        return None
    period = lcm(len(first.reaches), len(second.reaches))
    if period > LONGEST_PERIOD:
        return None
    step = first.step * (period // len(first.reaches))
    return normal(step, [union([first.reach(i), second.reach(i)]) for i in range(period)])


def shifted(window: Window, by: int) -> Window:
    """The window of a crop or a pad after it: output i is position i + by of what `window` makes."""
    return normal(window.step, [window.reach(i + by) for i in range(len(window.reaches))])


def nearest(scale_in: int, scale_out: int) -> Window | None:
    """The window of nearest-neighbour upsampling: output i reads input floor(i scale_in / scale_out).

    None where the period is too long.
    """
    if scale_out > LONGEST_PERIOD:
        return None
    places = [i * scale_in // scale_out for i in range(scale_out)]
    return normal(scale_in, [(place, place) for place in places])


def linear(scale_in: int, scale_out: int) -> Window | None:
    """The window of linear upsampling with half-pixel centres: the two inputs around (i + 1/2) scale - 1/2.

    None where the period is too long.
    """
    if scale_out > LONGEST_PERIOD:
        return None
    reaches: list[Reach | None] = []
    for i in range(scale_out):
        centre = Fraction(2 * i + 1, 2) * Fraction(scale_in, scale_out) - Fraction(1, 2)
        low = floor(centre)
        reaches.append((low, low if centre == low else low + 1))
    return normal(scale_in, reaches)


def normal(step: int, reaches: Sequence[Reach | None]) -> Window:
    """The window with the shortest period that says the same."""
    count = len(reaches)
    for period in range(1, count):
        rounds, left = divmod(count, period)
        if left or step % rounds:
            continue
        move = step // rounds
        if all(_moved(reaches[i - period], move) == reaches[i] for i in range(period, count)):
            return Window(move, tuple(reaches[:period]))
    return Window(step, tuple(reaches))


def _moved(reach: Reach | None, by: int) -> Reach | None:
    return (reach[0] + by, reach[1] + by) if reach else None
