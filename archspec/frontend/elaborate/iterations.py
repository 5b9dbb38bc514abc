"""Iterations of a repeat or of parallel paths: their number, and the names that expressions can use in each."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics import fail
from archspec.frontend.elaborate.value_help import rounding_help
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import MAX_INTEGER, Data, show, whole
from archspec.frontend.language.spec import Iterations


def iteration_entries(iterations: Iterations, value: Data) -> Sequence[Data]:
    """One entry per iteration: the items of `over`, or numbers from 0. `value` is the value of `over` or `times`.

    Raises:
        ArchspecError: it is not a list or not a valid number of iterations, or an item cannot be unpacked.
    """
    if iterations.over is None:
        assert iterations.times is not None
        times = whole(value)
        if times is None or times < 0:
            message = f"'times' is a whole number of at least 0, not {show(value)}"
            help = rounding_help(value, iterations.times) if isinstance(value, float) and value > 0 else None
            raise fail("wrong-value", message, iterations.times.span, help=help)
        return range(min(times, MAX_INTEGER - 1))  # `len` takes no larger range, and the limit is far below
    if not isinstance(value, tuple):
        help = f"for a number of iterations, write times: {value}" if whole(value) is not None else None
        raise fail("wrong-value", f"'over' is a list, not {show(value)}", iterations.over.span, help=help)
    wanted = len(iterations.targets)
    for number, entry in enumerate(value if wanted > 1 else ()):
        if not isinstance(entry, tuple) or len(entry) != wanted:
            message = f"'as' unpacks each entry of 'over' into {wanted}, but entry {number} is {show(entry)}"
            raise fail("wrong-value", message, iterations.over.span, help=f"make each entry a list of {wanted}")
    return value


def bind_iteration(iterations: Iterations, number: int, entry: Data, environment: Environment) -> Environment:
    """The environment of one iteration: the outer one with the index, and the entry or its parts, by their names."""
    if iterations.index is None and not iterations.targets:
        return environment
    bound = dict(environment)
    if iterations.index is not None:
        bound[iterations.index] = number
    if len(iterations.targets) == 1:
        bound[iterations.targets[0]] = entry
    elif iterations.targets and isinstance(entry, tuple):
        bound.update(zip(iterations.targets, entry, strict=True))
    return bound
