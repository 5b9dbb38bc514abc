"""Windows: which input positions an output position reads along one axis.

A window repeats with a period: every `len(reaches)` output positions it moves by `step` input positions. A convolution
has period 1; a transposed convolution with stride s, and upsampling by s, have period s, because s neighbouring outputs
read the same input positions differently. `archspec.ops.footprint` composes and joins windows.

Sources: Araujo, Norris, Sim. Computing receptive fields of convolutional neural networks, Distill 2019, for windows
of period 1; the periodic form applies the same argument to each position of the period.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

from archspec.frozen import frozen

Reach = tuple[int, ...]
"""Input positions: the first and the last of each run of neighbours, in order, with gaps between the runs.

(0, 2) is 0, 1 and 2; (0, 0, 4, 5) is 0, 4 and 5.
"""


@frozen(enforced=True)
class Window:
    """Output position q * len(reaches) + r reads the input positions of reach r, each moved by q * step.

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
        """Input positions from the first to the last that is read, for each output position of a period.

        Gaps count, as is usual: a kernel of 3 with dilation 2 has size 5.
        """
        return tuple(reach[-1] - reach[0] + 1 if reach else 0 for reach in self.reaches)

    @property
    def size(self) -> int:
        """The maximum of `sizes`."""
        return max(self.sizes)

    @cached_property
    def offset(self) -> Fraction:
        """Where the window begins: output position i reads nothing before i * stride + offset.

        With period 1 this is the first position read, exactly; otherwise the least over the period.
        """
        starts = [reach[0] - i * self.stride for i, reach in enumerate(self.reaches) if reach]
        return min(starts, default=Fraction(0))

    @cached_property
    def connected(self) -> bool:
        """Whether each reach is one run, without a gap after the one before, and begins and ends no earlier.

        Neighbouring output positions then read one run: from the first position of the first to the last of the last.
        """
        pairs = pairwise([self.reach(i) for i in range(len(self.reaches) + 1)])
        return all(a and b and len(a) == len(b) == 2 and a[0] <= b[0] <= a[1] + 1 and a[1] <= b[1] for a, b in pairs)

    def reach(self, position: int) -> Reach | None:
        """What one output position reads; negative positions and positions past the end are padding."""
        period, index = divmod(position, len(self.reaches))
        reach = self.reaches[index]
        return tuple([period * self.step + end for end in reach]) if reach else None


def runs(reach: Reach | None) -> Iterator[tuple[int, int]]:
    """The first and the last position of each run."""
    ends = iter(reach or ())
    return zip(ends, ends, strict=True)


IDENTITY = Window(1, ((0, 0),))
"""Each output position reads the input position of the same index."""

Footprint = Mapping[int, tuple[int, Window]]
"""What an output reads of one input: for each output axis that follows an input axis, that axis and the window.

An input axis that no output axis follows is read whole (or not at all, where it has no extent): a linear layer after
`flatten` reads everything.
"""

NOT_READ: Footprint = MappingProxyType({})
"""The footprint on an input of which an op uses the sizes alone."""
