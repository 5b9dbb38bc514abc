"""What the docstrings of ops say, taken apart: the source of the reference and of editors' hints."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from archspec.ops.base import Op


@dataclass(frozen=True, slots=True)
class Documentation:
    """The docstring of an op: its first line, what follows, and a line on each attribute."""

    summary: str
    text: str
    attributes: Mapping[str, str]


_ATTRIBUTE = re.compile(r"^(\w+): (.*(?:\n {4,}.*)*)", re.MULTILINE)


def documentation(op: type[Op]) -> Documentation:
    """The docstring of an op, taken apart."""
    whole = inspect.cleandoc(op.__doc__ or "")
    text, _, listed = whole.partition("\nAttributes:\n")
    summary, _, more = text.strip().partition("\n\n")
    attributes = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(inspect.cleandoc(listed))}
    return Documentation(" ".join(summary.split()), more.strip(), attributes)
