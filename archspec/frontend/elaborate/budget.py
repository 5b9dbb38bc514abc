"""How much of the work that limits allow is done: each limit is checked before the work it is about."""

from __future__ import annotations

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.limits import MAX_DEPTH, MAX_FAILURES, MAX_LAYERS, MAX_RECURSIONS, MAX_STEPS


class PastLimit(Exception):
    """A limit is passed: to go on would only pass it further, so the build ends with `error`."""

    def __init__(self, error: ArchspecError) -> None:
        super().__init__(error)
        self.error = error


class Budget:
    """What one build has spent. Every method counts, and raises `PastLimit` where that is too much."""

    def __init__(self) -> None:
        self.steps = 0
        self.layers = 0
        self.recursions = 0
        self.failures = 0

    def step(self, span: Span, count: int = 1) -> None:
        """So many items of `layers` are looked at, rounds begun or structures entered."""
        self.steps += count
        if self.steps > MAX_STEPS:
            message = f"building the network takes more than {MAX_STEPS:,} steps"
            raise PastLimit(fail("too-large", message, span, help="repeat less, or leave less out"))

    def layer(self, span: Span) -> None:
        """A layer is made."""
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise self._too_many(f"more than {MAX_LAYERS:,} layers", span)

    def rounds(self, span: Span, count: int) -> None:
        """What is built there is built so many times, all repeats around it counted."""
        if count > MAX_LAYERS:
            raise self._too_many(f"{count:,} rounds", span)

    def depth(self, span: Span, depth: int) -> None:
        """So many blocks and structures are around what is built there."""
        if depth > MAX_DEPTH:
            message = f"blocks and structures are nested more than {MAX_DEPTH} deep here"
            recursive = "a block that calls itself needs a `when` that ends it"
            help = recursive if self.recursions else "say `repeat` for layers after one another"
            raise PastLimit(fail("endless-recursion", message, span, help=help))

    def recursion(self, span: Span, block: str) -> None:
        """A block is called from inside itself."""
        self.recursions += 1
        if self.recursions > MAX_RECURSIONS:
            message = f"'{block}' calls itself more than {MAX_RECURSIONS:,} times"
            help = "a block that calls itself twice doubles with every level"
            raise PastLimit(fail("too-large", message, span, help=help))

    def failure(self, error: ArchspecError) -> None:
        """A step goes wrong; where thousands do, what is wrong with them is known."""
        self.failures += 1
        if self.failures > MAX_FAILURES:
            raise PastLimit(error)

    def _too_many(self, what: str, span: Span) -> PastLimit:
        message, help = f"the network would have {what} here", f"at most {MAX_LAYERS:,} are allowed"
        return PastLimit(fail("too-large", message, span, help=help))
