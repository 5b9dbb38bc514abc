"""Counters for the limits of a build: each limit is checked before the work that would exceed it."""

from __future__ import annotations

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.language.spec import Block, Body
from archspec.frontend.limits import (
    MAX_DEPTH,
    MAX_FAILURES,
    MAX_LAYERS,
    MAX_RECURSION_ITEMS,
    MAX_RECURSIONS,
    MAX_STEPS,
)
from archspec.frozen import record


class LimitExceeded(Exception):
    """A limit is exceeded. The build ends with `error`, since it could only exceed the limit further."""

    def __init__(self, error: ArchspecError) -> None:
        super().__init__(error)
        self.error = error


@record
class Total:
    """What all builds of one check have used; it is `exceeded` where one of them had to stop for that reason."""

    steps: int = 0
    layers: int = 0
    exceeded: bool = False

    def add(self, *, steps: int = 0, layers: int = 0) -> None:
        self.steps += steps
        self.layers += layers
        if self.steps > MAX_STEPS or self.layers > MAX_LAYERS:
            self.exceeded = True
            raise LimitExceeded(fail("too-large", "all variants together are too large"))


class Budget:
    """What one build has used so far. Every method raises `LimitExceeded` if its limit is exceeded.

    Args:
        total: what all builds of the same check have used, if there are several.
    """

    def __init__(self, total: Total | None = None) -> None:
        self.total = total
        self.steps = 0
        self.layers = 0
        self.recursions = 0
        self.recursion_items = 0
        self.items: dict[Span, int] = {}
        self.failures = 0

    def count_steps(self, span: Span, count: int = 1) -> None:
        """Count visited items of `layers`, iterations and structures."""
        self.steps += count
        if self.steps > MAX_STEPS:
            message = f"building the network takes more than {MAX_STEPS:,} steps"
            raise LimitExceeded(fail("too-large", message, span, help="use fewer iterations, or fewer skipped layers"))
        if self.total is not None:
            self.total.add(steps=count)

    def count_scope(self, span: Span, names: int, times: int = 1) -> None:
        """Count copies of the names that expressions can use: they take time only if there are hundreds."""
        self.count_steps(span, names // _NAMES_PER_STEP * times)

    def count_layer(self, span: Span) -> None:
        """Count a layer that is built."""
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise self._too_many(f"more than {MAX_LAYERS:,} layers", span)
        if self.total is not None:
            self.total.add(layers=1)

    def check_repetitions(self, span: Span, count: int) -> None:
        """Check how often a place is built, by all repeats around it together."""
        if count > MAX_LAYERS:
            raise self._too_many(f"{count:,} iterations", span)

    def check_depth(self, span: Span, depth: int) -> None:
        """Check how many blocks and structures enclose a place."""
        if depth > MAX_DEPTH:
            message = f"blocks and structures are nested more than {MAX_DEPTH} deep here"
            recursive = "a block that calls itself needs a `when` that ends it"
            help = recursive if self.recursions else "use `repeat` for consecutive layers"
            raise LimitExceeded(fail("endless-recursion", message, span, help=help))

    def count_recursion(self, span: Span, block: Block) -> None:
        """Count a call of a block from inside itself, and the items of the block."""
        self.recursions += 1
        if block.span not in self.items:
            self.items[block.span] = _count_items(block.layers)
        self.recursion_items += self.items[block.span]
        help = "a block that calls itself twice doubles the calls at every level"
        if self.recursions > MAX_RECURSIONS:
            message = f"'{block.name}' calls itself more than {MAX_RECURSIONS:,} times"
            raise LimitExceeded(fail("too-large", message, span, help=help))
        if self.recursion_items > MAX_RECURSION_ITEMS:
            message = f"'{block.name}' calls itself for more than {MAX_RECURSION_ITEMS:,} items of layers"
            raise LimitExceeded(fail("too-large", message, span, help=help))

    def count_failure(self, error: ArchspecError) -> None:
        """Count a step that fails: after thousands, one more tells the user nothing new."""
        self.failures += 1
        if self.failures > MAX_FAILURES:
            raise LimitExceeded(error)

    def _too_many(self, what: str, span: Span) -> LimitExceeded:
        message, help = f"the network would have {what} here", f"at most {MAX_LAYERS:,} are allowed"
        return LimitExceeded(fail("too-large", message, span, help=help))


def _count_items(body: Body) -> int:
    """The items of a list of layers, those of structures inside it included."""
    return sum(1 + sum(map(_count_items, step.bodies())) for step in body)


_NAMES_PER_STEP = 64
"""The names whose copy takes about as long as a step."""
