"""How an output position looks back at its input along one axis: the algebra receptive fields are composed in.

A window repeats with a period: after so many output positions it has moved on by a fixed step of the input. A
convolution has period 1; a transposed convolution with stride s, and upsampling by s, have period s, because s
neighbouring outputs look at the same input from different sides.

Sources: Araujo, Norris, Sim. Computing receptive fields of convolutional neural networks, Distill 2019, for windows
of period 1; the periodic form is the same argument for each position of the period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import floor, gcd, lcm

from archspec.ops.geometry import Pads, adaptive_bounds

Reach = tuple[int, int]
"""First and last input position read, both included."""


@dataclass(frozen=True)
class Window:
    """Output position q * len(reaches) + r reads the inputs from q * step + first to q * step + last of reach r.

    A reach is None where an output position reads nothing at all (a transposed kernel smaller than its stride).
    """

    step: int
    reaches: tuple[Reach | None, ...]

    @cached_property
    def stride(self) -> Fraction:
        """Input positions from one output position to the next, on average."""
        return Fraction(self.step, len(self.reaches))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Input positions seen by each output position of a period."""
        return tuple(reach[1] - reach[0] + 1 if reach else 0 for reach in self.reaches)

    @property
    def size(self) -> int:
        """Input positions seen: the most of any output position."""
        return max(self.sizes)

    @cached_property
    def offset(self) -> Fraction:
        """Where the field begins: output position i sees nothing before i * stride + offset.

        With period 1 this is the first position seen, exactly; otherwise the least over the period.
        """
        starts = [reach[0] - i * self.stride for i, reach in enumerate(self.reaches) if reach]
        return min(starts, default=Fraction(0))

    def reach(self, position: int) -> Reach | None:
        """What one output position sees; negative positions and positions past the end are padding."""
        round_, place = divmod(position, len(self.reaches))
        reach = self.reaches[place]
        return (round_ * self.step + reach[0], round_ * self.step + reach[1]) if reach else None

    def hull(self, first: int, last: int) -> Reach | None:
        """What the output positions from `first` to `last` see together.

        Later rounds of the period only move on, so the first and the last round hold the extremes.
        """
        period = len(self.reaches)
        heads = [self.reach(i) for i in range(first, min(last, first + period - 1) + 1)]
        tails = [self.reach(i) for i in range(max(first, last - period + 1), last + 1)]
        return _union([*heads, *tails])


_AXES = 16
"""How many of the last windows are remembered: the axes of a layer mostly ask for the same ones."""

LONGEST_PERIOD = 4096
"""The longest period that is worked out; an axis with a longer one counts as seen whole."""

IDENTITY = Window(1, ((0, 0),))
"""Each output position reads the input position of the same index."""


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
    return normal(step, [_union([first.reach(i), second.reach(i)]) for i in range(period)])


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


def _union(reaches: Sequence[Reach | None]) -> Reach | None:
    known = [reach for reach in reaches if reach]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None
