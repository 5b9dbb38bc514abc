"""The functions expressions may call. The first line of each docstring is its entry in the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from archspec.frontend.expressions.values import MAX_LIST, show, whole


def _one(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def _numbers(values: Any) -> tuple[Any, ...]:
    if not isinstance(values, tuple):
        raise TypeError
    return tuple(map(_one, values))


def _several(values: tuple[Any, ...]) -> tuple[Any, ...]:
    numbers = _numbers(values[0] if len(values) == 1 and isinstance(values[0], tuple) else values)
    if not numbers:
        raise ValueError("the list is empty")
    return numbers


def _least(*values: Any) -> Any:
    """min(a, b, ...) or min(list): the least of several numbers."""
    return min(_several(values))


def _greatest(*values: Any) -> Any:
    """max(a, b, ...) or max(list): the greatest of several numbers."""
    return max(_several(values))


def _sum(values: Any) -> Any:
    """sum(list): the sum of a list of numbers."""
    return sum(_numbers(values))


def _length(values: Any) -> Any:
    """len(list): how many entries a list has."""
    if not isinstance(values, tuple):
        raise TypeError
    return len(values)


def _absolute(value: Any) -> Any:
    """abs(x): x without its sign."""
    return abs(_one(value))


def _round(value: Any) -> Any:
    """round(x): the nearest whole number, a half going up."""
    below = math.floor(_one(value))
    return below + (value - below >= 0.5)


def _floor(value: Any) -> Any:
    """floor(x): the next whole number down."""
    return math.floor(_one(value))


def _ceil(value: Any) -> Any:
    """ceil(x): the next whole number up."""
    return math.ceil(_one(value))


def _sqrt(value: Any) -> Any:
    """sqrt(x): the square root of a number that is not negative."""
    if _one(value) < 0:
        raise ValueError(f"{show(value)} is negative")
    return math.sqrt(value)


def _log2(value: Any) -> Any:
    """log2(x): the logarithm to base 2 of a number above 0."""
    if _one(value) <= 0:
        raise ValueError(f"{show(value)} is not above 0")
    return math.log2(value)


def _range(*bounds: Any) -> Any:
    """range(n) or range(first, end) or range(first, end, step): whole numbers up to, but not, the end."""
    ends = [end for bound in bounds if (end := whole(bound)) is not None]
    if not 1 <= len(bounds) <= 3 or len(ends) < len(bounds):
        raise TypeError
    if len(ends) == 3 and ends[2] == 0:
        raise ValueError("the step is zero")
    numbers = range(*ends)
    if numbers and abs(numbers[-1] - numbers[0]) // abs(numbers.step) >= MAX_LIST:
        raise ValueError(f"more than {MAX_LIST:,} numbers")
    return tuple(numbers)


def _divisible(value: Any, divisor: Any, least: Any = None) -> Any:
    """divisible(x, d) or divisible(x, d, least): the multiple of d nearest to x, but at least d and 0.9 x.

    The rounding of channel counts in MobileNet and EfficientNet (Sandler et al. 2018, reference code).
    """
    x, d = _one(value), whole(divisor)
    if d is None or (least is not None and whole(least) is None):
        raise TypeError
    if d < 1:
        raise ValueError("the divisor is at least 1")
    rounded = max(d if least is None else int(least), int(x + d / 2) // d * d)
    return rounded + d if rounded < 0.9 * x else rounded


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": _least, "max": _greatest, "sum": _sum, "len": _length, "abs": _absolute, "round": _round, "floor": _floor,
    "ceil": _ceil, "sqrt": _sqrt, "log2": _log2, "range": _range, "divisible": _divisible,
}  # fmt: skip
"""The closed set, by the name a spec calls them."""
