"""Windows: which input positions an output position reads along one axis.

A window repeats with a period: every `len(reaches)` output positions it moves by `step` input positions. A convolution
has period 1; a transposed convolution with stride s, and upsampling by s, have period s, because s neighbouring outputs
read the same input positions differently. `archspec.ops.footprint` composes and joins windows.

Sources: Araujo, Norris, Sim. Computing receptive fields of convolutional neural networks, Distill 2019, for windows
of period 1; the periodic form applies the same argument to each position of the period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

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
        """Input positions read by each output position of a period."""
        return tuple(reach[1] - reach[0] + 1 if reach else 0 for reach in self.reaches)

    @property
    def size(self) -> int:
        """Input positions read: the maximum over all output positions."""
        return max(self.sizes)

    @cached_property
    def offset(self) -> Fraction:
        """Where the window begins: output position i reads nothing before i * stride + offset.

        With period 1 this is the first position read, exactly; otherwise the least over the period.
        """
        starts = [reach[0] - i * self.stride for i, reach in enumerate(self.reaches) if reach]
        return min(starts, default=Fraction(0))

    def reach(self, position: int) -> Reach | None:
        """What one output position reads; negative positions and positions past the end are padding."""
        period, index = divmod(position, len(self.reaches))
        reach = self.reaches[index]
        return (period * self.step + reach[0], period * self.step + reach[1]) if reach else None

    def hull(self, first: int, last: int) -> Reach | None:
        """The range that the output positions from `first` to `last` read together.

        Later periods only move on, so the first and the last period hold the extremes.
        """
        period = len(self.reaches)
        heads = [self.reach(i) for i in range(first, min(last, first + period - 1) + 1)]
        tails = [self.reach(i) for i in range(max(first, last - period + 1), last + 1)]
        return union([*heads, *tails])


IDENTITY = Window(1, ((0, 0),))
"""Each output position reads the input position of the same index."""

Footprint = Mapping[int, tuple[int, Window]]
"""What an output reads of one input: for each output axis that follows an input axis, that axis and the window.

An input axis that no output axis follows is read whole (or not at all, where it has no extent): a linear layer after
`flatten` reads everything.
"""

NOT_READ: Footprint = MappingProxyType({})
"""The footprint on an input of which an op uses the sizes alone."""


def union(reaches: Sequence[Reach | None]) -> Reach | None:
    """The smallest range that holds all of `reaches`; None where there are none."""
    known = [reach for reach in reaches if reach]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None
