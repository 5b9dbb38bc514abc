"""Rounds of a repetition: how many there are, and what expressions may name in each."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics import fail
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import MAX_INTEGER, Data, show, whole
from archspec.frontend.language.spec import Iterations


def entries(rounds: Iterations, value: Data) -> Sequence[Data]:
    """What the rounds are for, where `value` is what `over` or `times` is worth.

    Raises:
        ArchspecError: it is no list, or no number of rounds, or an entry cannot be taken apart.
    """
    if rounds.over is None:
        assert rounds.times is not None
        times = whole(value)
        if times is None or times < 0:
            message = f"'times' is a whole number of at least 0, not {show(value)}"
            raise fail("wrong-value", message, rounds.times.span)
        return range(min(times, MAX_INTEGER - 1))  # more cannot be counted, and are too many anyway
    if not isinstance(value, tuple):
        raise fail("wrong-value", f"'over' is a list, not {show(value)}", rounds.over.span)
    wanted = len(rounds.targets)
    for number, entry in enumerate(value if wanted > 1 else ()):
        if not isinstance(entry, tuple) or len(entry) != wanted:
            message = f"'as' takes each entry of 'over' apart into {wanted}, and entry {number} is {show(entry)}"
            raise fail("wrong-value", message, rounds.over.span, help=f"make each entry a list of {wanted}")
    return value


def bind(rounds: Iterations, number: int, entry: Data, scope: Environment) -> Environment:
    """What expressions may name in a round: what they may around it, its number, its entry or the entry's parts."""
    if rounds.index is None and not rounds.targets:
        return scope
    bound = dict(scope)
    if rounds.index is not None:
        bound[rounds.index] = number
    if len(rounds.targets) == 1:
        bound[rounds.targets[0]] = entry
    elif isinstance(entry, tuple):
        bound.update(zip(rounds.targets, entry, strict=True))
    return bound
