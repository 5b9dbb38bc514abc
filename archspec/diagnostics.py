"""What the compiler says about a spec: positions in text, diagnostics, and how they are rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

from archspec.codes import CODES, Severity

# What YAML counts as the end of a line.
_LINE_BREAK = re.compile("[\n\x85\u2028\u2029]")


@dataclass(frozen=True, eq=False)
class Source:
    """A text a user wrote and the name it goes by in messages."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(_LINE_BREAK.split(self.text))


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: lines and columns count from 1, the end column is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def inside(self, start: int, stop: int) -> Span:
        """The part of a one-line span between two offsets from its first character."""
        if self.line != self.end_line:
            return self
        first = min(self.column + start, self.end_column)
        return replace(self, column=first, end_column=max(first + 1, min(self.column + stop, self.end_column)))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


Note = tuple[str, ...]
"""One line under a diagnostic; the cells of neighbouring notes are aligned in columns."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One statement about a spec, with the place it is about.

    `code` is a key of `archspec.codes.CODES`, which says how severe it is and what it means.
    """

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str | None = None

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    def render(self) -> str:
        """The diagnostic as text: position, code and message, the line with a caret, notes and help."""
        where = f"{self.span}: " if self.span else ""
        parts = [f"{where}{self.severity}[{self.code}]: {self.message}"]
        margin = " " * 4
        if self.span and self.span.line <= len(self.span.source.lines):
            number, excerpt, carets = _excerpt(self.span)
            parts += [f"{number:>5} | {excerpt}", f"{'':5} | {carets}"]
        parts += [margin + line for line in _aligned(self.notes)]
        if self.help:
            parts.append(f"{margin}help: {self.help}")
        return "\n".join(parts)

    def as_json(self) -> dict[str, object]:
        """A plain mapping for `--format json`; `line` and `column` count from 1."""
        span = self.span
        return {
            "file": span.source.name if span else None,
            "line": span.line if span else None,
            "column": span.column if span else None,
            "end_line": span.end_line if span else None,
            "end_column": span.end_column if span else None,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "notes": ["  ".join(note) for note in self.notes],
            "help": self.help,
        }


class ArchspecError(Exception):
    """The one exception archspec raises for what a user wrote; it carries every diagnostic found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(diagnostic.render() for diagnostic in self.diagnostics))

    def __reduce__(self) -> tuple[type[ArchspecError], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.diagnostics,)


def fail(
    code: str, message: str, span: Span | None = None, *, notes: Sequence[Note] = (), help: str | None = None
) -> ArchspecError:
    """An error of one diagnostic, ready to be raised."""
    return ArchspecError([Diagnostic(code, message, span, tuple(notes), help)])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, if any is like it at all."""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line for an unknown name: the nearest known one, or else the few there are."""
    names = list(known)
    if close := nearest(word, names):
        return f"did you mean '{close}'?"
    if 0 < len(names) <= 12:
        return f"known here: {', '.join(names)}"
    return None


_WIDEST = 100


def _excerpt(span: Span) -> tuple[int, str, str]:
    """The span's first line, cut to a width that fits a terminal, and the carets below it."""
    line = span.source.lines[span.line - 1].rstrip("\r")
    start = min(span.column - 1, len(line))
    stop = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    carets = max(1, stop - start)
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[cut : cut + _WIDEST]
    if cut:
        shown = "..." + shown[3:]
    indent = "".join("\t" if mark == "\t" else " " for mark in shown[: start - cut])
    return span.line, shown, indent + "^" * max(1, min(carets, _WIDEST - (start - cut)))


def _aligned(notes: Sequence[Note]) -> list[str]:
    widths: list[int] = []
    for note in notes:
        if len(note) > 1:
            for column, cell in enumerate(note[:-1]):
                widths += [0] * (column + 1 - len(widths))
                widths[column] = max(widths[column], len(cell))
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(note[:-1], widths, strict=False)), note[-1]])
        for note in notes
    ]
