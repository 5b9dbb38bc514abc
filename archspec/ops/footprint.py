"""The algebra of windows: the windows of each kind of op, their composition along a path and their union at a join.

Receptive fields are computed with it. The type of a window is `archspec.ir.window.Window`.
"""

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
"""Cache size: the axes of a layer mostly have equal windows."""

LONGEST_PERIOD = 4096
"""The longest period that is computed; an axis with a longer period counts as read completely."""


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
        position = output + pads[0]
        first = position // common * pow(dilation // common, -1, apart) % apart
        if position % common or first >= kernel:
            return None
        last = first + (kernel - 1 - first) // apart * apart
        return (position - dilation * last) // stride, (position - dilation * first) // stride

    return normal(1, [reach(output) for output in range(stride)])


def adaptive(size: int, count: int) -> Window | None:
    """The window of an adaptive pooling from `size` positions to `count`; None where the period is too long."""
    common = gcd(size, count)
    if count // common > LONGEST_PERIOD:
        return None
    return normal(size // common, adaptive_bounds(size // common, count // common))


def compose(outer: Window, inner: Window) -> Window | None:
    """The window of `outer` on the input of `inner`, if `outer` reads the output of `inner`.

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
    """`compose` for windows with a period above 1."""
    repeats = len(inner.reaches) // gcd(outer.step, len(inner.reaches))
    period = len(outer.reaches) * repeats
    if period > LONGEST_PERIOD:
        return None
    step = outer.step * repeats // len(inner.reaches) * inner.step
    reaches: list[Reach | None] = []
    for position in range(period):
        reach = outer.reach(position)
        reaches.append(inner.hull(*reach) if reach else None)
    return normal(step, reaches)


def join(first: Window, second: Window) -> Window | None:
    """The union of two windows; None if their strides differ, since their distance then grows without bound.

    None, too, where the period is too long.
    """
    return first if first is second or first == second else _join(first, second)


@lru_cache(maxsize=_AXES)
def _join(first: Window, second: Window) -> Window | None:
    """`join` for two different windows."""
    if first.stride != second.stride:
        return None
    period = lcm(len(first.reaches), len(second.reaches))
    if period > LONGEST_PERIOD:
        return None
    step = first.step * (period // len(first.reaches))
    return normal(step, [union([first.reach(i), second.reach(i)]) for i in range(period)])


def shifted(window: Window, by: int) -> Window:
    """`window` followed by a crop or a pad: output i is position i + `by` of the output of `window`."""
    return normal(window.step, [window.reach(i + by) for i in range(len(window.reaches))])


def nearest(scale_in: int, scale_out: int) -> Window | None:
    """The window of nearest-neighbour upsampling: output i reads input floor(i scale_in / scale_out).

    None where the period is too long.
    """
    if scale_out > LONGEST_PERIOD:
        return None
    inputs = [i * scale_in // scale_out for i in range(scale_out)]
    return normal(scale_in, [(position, position) for position in inputs])


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
    """The equal window with the shortest period."""
    count = len(reaches)
    for period in range(1, count):
        repeats, remainder = divmod(count, period)
        if remainder or step % repeats:
            continue
        move = step // repeats
        if all(_moved(reaches[i - period], move) == reaches[i] for i in range(period, count)):
            return Window(move, tuple(reaches[:period]))
    return Window(step, tuple(reaches))


def _moved(reach: Reach | None, by: int) -> Reach | None:
    return (reach[0] + by, reach[1] + by) if reach else None
