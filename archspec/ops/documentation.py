"""Parsed docstrings of ops: the source of the reference and of hints in editors."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from archspec.ops.base import Op


@dataclass(frozen=True, slots=True)
class Documentation:
    """The docstring of an op: its first paragraph, the rest, and one line per attribute."""

    summary: str
    text: str
    attributes: Mapping[str, str]


_ATTRIBUTE = re.compile(r"^(\w+): (.*(?:\n {4,}.*)*)", re.MULTILINE)


def documentation(op: type[Op]) -> Documentation:
    """Parse the docstring of an op."""
    docstring = inspect.cleandoc(op.__doc__ or "")
    text, _, listed = docstring.partition("\nAttributes:\n")
    summary, _, more = text.strip().partition("\n\n")
    attributes = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(inspect.cleandoc(listed))}
    return Documentation(" ".join(summary.split()), more.strip(), attributes)
