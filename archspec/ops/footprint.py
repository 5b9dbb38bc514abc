"""The algebra of windows: the windows of each kind of op, their composition along a path and their union at a join.

Receptive fields are computed with it. The type of a window is `archspec.ir.window.Window`.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil, floor, gcd, inf, lcm

from archspec.ir.window import IDENTITY, Reach, Window, runs
from archspec.ops.geometry import Pads, adaptive_bounds

__all__ = [
    "IDENTITY",
    "LONGEST_PERIOD",
    "Window",
    "adaptive",
    "around",
    "compose",
    "interpolated",
    "join",
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

MOST_RUNS = 1024
"""The most runs of positions that a window keeps apart; in one with more, the gaps count as read."""

MOST_STEPS = 2**16
"""The most runs and positions to go through for one composition; if there are more, gaps count as read."""


@lru_cache(maxsize=_AXES)
def sliding(kernel: int, stride: int, dilation: int, pads: Pads) -> Window:
    """The window of a convolution or a pooling."""
    return Window(stride, (_spaced(-pads[0], kernel, dilation),))


def _spaced(first: int, count: int, distance: int) -> Reach:
    """`count` positions from `first` on, at this distance."""
    if distance == 1 or count > MOST_RUNS:
        return first, first + distance * (count - 1)
    return tuple([first + distance * (end // 2) for end in range(2 * count)])


@lru_cache(maxsize=_AXES)
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
        taps = (kernel - 1 - first) // apart + 1
        last = first + (taps - 1) * apart
        return _spaced((position - dilation * last) // stride, taps, dilation // common)

    return normal(1, [reach(output) for output in range(stride)])


@lru_cache(maxsize=_AXES)
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
        has_gaps = len(near) != 2 or len(far) != 2 or (near[0] < near[1] and far[1] - far[0] + 1 < inner.step)
        if not has_gaps:
            return Window(outer.step * inner.step, ((near[0] * inner.step + far[0], near[1] * inner.step + far[1]),))
    return _compose(outer, inner)


@lru_cache(maxsize=_AXES)
def _compose(outer: Window, inner: Window) -> Window | None:
    """`compose` for windows with gaps or with a period above 1."""
    repeats = len(inner.reaches) // gcd(outer.step, len(inner.reaches))
    period = len(outer.reaches) * repeats
    if period > LONGEST_PERIOD:
        return None
    step = outer.step * repeats // len(inner.reaches) * inner.step
    if repeats * sum([len(reach or ()) // 2 for reach in outer.reaches]) > MOST_STEPS:
        outer = _without_gaps(outer)
    connected = inner.connected
    if not connected:
        lengths = [last - first + 1 for reach in outer.reaches for first, last in runs(reach)]
        if repeats * sum([min(length, len(inner.reaches)) for length in lengths]) > MOST_STEPS:
            inner, connected = _envelope(inner), True
    read = _ends_through if connected else _read_through
    return normal(step, [read(outer.reach(position), inner) for position in range(period)])


def _without_gaps(window: Window) -> Window:
    """The window that reads the gaps, too."""
    return Window(window.step, tuple((reach[0], reach[-1]) if reach else None for reach in window.reaches))


def _envelope(window: Window) -> Window:
    """A window that reads at least as much, and of which no reach begins or ends before the one before it."""
    period = len(window.reaches)
    reaches = [window.reach(i) or () for i in range(-period, 2 * period)]
    firsts = [*accumulate([min(reach, default=inf) for reach in reversed(reaches)], min)][::-1]
    lasts = [*accumulate([max(reach, default=-inf) for reach in reaches], max)]
    if firsts[0] == inf:
        return window
    ends = zip(firsts[period : 2 * period], lasts[period : 2 * period], strict=True)
    return Window(window.step, tuple((int(first), int(last)) for first, last in ends))


def _ends_through(reach: Reach | None, window: Window) -> Reach | None:
    """What the output positions in `reach` read of the input of a connected window."""
    ends = [(window.reach(low), window.reach(high)) for low, high in runs(reach)]
    return _union([(first[0], last[-1]) for first, last in ends if first and last])


def _read_through(reach: Reach | None, window: Window) -> Reach | None:
    """What the output positions in `reach` read of the input of any window."""
    read: list[tuple[int, int]] = []
    period, step = len(window.reaches), window.step
    for low, high in runs(reach):
        for position in range(low, min(high, low + period - 1) + 1):
            again = (high - position) // period  # positions of the run that read the same, each `step` further
            for first, last in runs(window.reach(position)):
                if last - first + 1 >= step or len(read) + again >= MOST_RUNS:
                    read.append((first, last + again * step))
                else:
                    read += [(first + i * step, last + i * step) for i in range(again + 1)]
            if len(read) > 2 * MOST_RUNS:
                read = [(min(read)[0], max(last for _, last in read))]
    return _union(read)


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
    return normal(step, [_union([*runs(first.reach(i)), *runs(second.reach(i))]) for i in range(period)])


def _union(parts: Iterable[tuple[int, int]]) -> Reach | None:
    """The positions from the first to the last of any part."""
    ends: list[int] = []
    for first, last in sorted(parts):
        if not ends or first > ends[-1] + 1:
            ends += (first, last)
        elif last > ends[-1]:
            ends[-1] = last
    return tuple(ends) or None


def shifted(window: Window, by: int) -> Window:
    """`window` followed by a crop or a pad: output i is position i + `by` of the output of `window`."""
    return normal(window.step, [window.reach(i + by) for i in range(len(window.reaches))])


@lru_cache(maxsize=_AXES)
def nearest(scale_in: int, scale_out: int) -> Window | None:
    """The window of nearest-neighbour upsampling: output i reads input floor(i scale_in / scale_out).

    None where the period is too long.
    """
    if scale_out > LONGEST_PERIOD:
        return None
    inputs = [i * scale_in // scale_out for i in range(scale_out)]
    return normal(scale_in, [(position, position) for position in inputs])


@lru_cache(maxsize=_AXES)
def interpolated(scale_in: int, scale_out: int, radius: int, width: Fraction) -> Window | None:
    """The window of resizing with half-pixel centres: the inputs around (i + 1/2) scale - 1/2.

    None where the period is too long.
    """
    if scale_out > LONGEST_PERIOD:
        return None
    centres = (Fraction(2 * i + 1, 2) * Fraction(scale_in, scale_out) - Fraction(1, 2) for i in range(scale_out))
    return normal(scale_in, [around(centre, radius, width) for centre in centres])


def around(centre: Fraction, radius: int, width: Fraction = Fraction(1)) -> tuple[int, int]:
    """First and last position that a filter reads: those nearer to its centre than `radius` times its width.

    The filter is 0 at multiples of its width, which with a width of 1 and a whole centre are all other positions.
    """
    if width == centre.denominator == 1:
        return int(centre), int(centre)
    return floor(centre - radius * width) + 1, ceil(centre + radius * width) - 1


def normal(step: int, reaches: Sequence[Reach | None]) -> Window:
    """The equal window with the shortest period."""
    if sum([len(reach or ()) for reach in reaches]) > 2 * max(MOST_RUNS, len(reaches)):
        return normal(step, [(reach[0], reach[-1]) if reach else None for reach in reaches])
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
    return tuple([end + by for end in reach]) if reach else None
