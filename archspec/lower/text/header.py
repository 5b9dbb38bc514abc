"""Docstrings of generated source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.lower.text.formatter import INDENT, WIDTH


@dataclass(frozen=True, slots=True)
class About:
    """The description of a network in its file."""

    origin: str = ""
    """The name of the spec that it is generated from."""
    summary: str = ""
    reference: str = ""
    facts: str = ""

    def lines(self, name: str) -> list[str]:
        """The lines of the docstring of a network, which the caller indents once."""
        lines: list[str] = []
        for paragraph in filter(None, [self.summary or name, self.reference, self.facts]):
            lines += ["", *docstring(paragraph, INDENT).split("\n")]
        return lines[1:]


def title(name: str, target: str, about: About) -> str:
    """The docstring of the file."""
    origin = f" from {about.origin}" if about.origin else ""
    return '"""' + docstring(f"{name} in {target}, written by archspec{origin}.", "") + '"""'


def quoted(lines: Sequence[str], indent: str) -> Iterator[str]:
    """The lines of a docstring, with its quotes."""
    first, *more = lines
    yield f'{indent}"""{first}' + ("" if more else '"""')
    if more:
        yield from (indent + line if line else "" for line in more)
        yield f'{indent}"""'


def docstring(text: str, indent: str) -> str:
    """Text escaped and wrapped for a docstring."""
    clean = "".join(mark if mark.isprintable() else " " for mark in text)
    clean = " ".join(clean.split()).replace("\\", "\\\\").replace('"', "'")
    return "\n".join(textwrap.wrap(clean, WIDTH - len(indent) - 3))
