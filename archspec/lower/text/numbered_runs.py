"""Finds numbered children that differ only in evenly growing numbers, to be written as a loop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archspec.lower.text.code_model import Argument, Call, ParameterExpr

_MIN_CHILDREN = 3
"""The minimum number of children for a loop."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over `i` that constructs the children of a sequence: their names and constructions."""

    name: str
    child: Call
    iterations: int


def unnumbered(name: str) -> str:
    """A name without its number: `stage` for `stage1`; short names such as `p3` are kept."""
    return re.sub(r"(?<=\w{3})_?\d+$", "", name)


def numbered(names: Sequence[str]) -> tuple[str, int] | None:
    """The common prefix of consecutively numbered names and the first number; None if they are not."""
    parts = [re.fullmatch(r"(\w*[A-Za-z_])(0|[1-9]\d*)", name) for name in names]
    pairs = [(part[1], int(part[2])) for part in parts if part]
    if len(pairs) < max(len(names), 2) or pairs != [(pairs[0][0], pairs[0][1] + i) for i in range(len(names))]:
        return None
    return pairs[0]


def loop(names: Sequence[str], children: Sequence[Argument]) -> Loop | None:
    """The loop that constructs these children; None if there is none."""
    counted, calls = numbered(names), [child for child in children if isinstance(child, Call)]
    if counted is None or len(names) < _MIN_CHILDREN or len(calls) < len(names):
        return None
    first = calls[0]
    if any((call.callee, call.template, [*call.arguments]) != (first.callee, first.template, [*first.arguments])
           or call.children for call in calls):  # fmt: skip
        return None
    arguments: dict[str, Argument] = {}
    for name in first.arguments:
        argument = _growth([call.arguments[name] for call in calls])
        if argument is None:
            return None
        arguments[name] = argument[0]
    prefix, start = counted
    return Loop(f'f"{prefix}{{{_term(start, 1)}}}"', replace(first, arguments=arguments), len(names))


def _growth(values: Sequence[Argument]) -> tuple[Argument] | None:
    """One argument for all iterations: a constant, or a number that grows evenly."""
    first = values[0]
    if all(value == first and type(value) is type(first) for value in values):
        return (first,)
    if not isinstance(first, int) or isinstance(first, bool):
        return None
    step = values[1] - first if isinstance(values[1], int) else 0
    grows_evenly = step > 0 and [*values] == [first + step * i for i in range(len(values))]
    return (ParameterExpr(_term(first, step)),) if grows_evenly else None


def _term(first: int, step: int) -> str:
    """The i-th of numbers that grow evenly."""
    if step == 1:
        return f"i + {first}" if first else "i"
    return f"{first} + {step} * i" if first else f"{step} * i"
