"""Diagnostics of specs: positions in source text, messages, and how they are rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

from archspec.diagnostic_codes import CODES, WARNINGS, Severity
from archspec.frozen import field, frozen

# The line breaks of YAML.
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@frozen(eq=False, enforced=True)
class Source:
    """A text, its name in messages, and its file if it has one.

    `readings` caches what was read from the text, by kind, each with what else it depends on.
    """

    name: str
    text: str
    path: Path | None = None
    readings: dict[str, tuple[object, Any]] = field(default_factory=dict, init=False)

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(_LINE_BREAK.split(self.text))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """The offsets at which the lines start."""
        return (0, *(match.end() for match in _LINE_BREAK.finditer(self.text)))

    def offset(self, line: int, column: int) -> int:
        """The offset of a position from the start of the text; lines and columns count from 1."""
        return self._starts[line - 1] + column - 1 if line <= len(self._starts) else len(self.text)

    def reading(self, kind: str, depends_on: object = None) -> Any | None:
        """The cached reading of a kind; None if there is none, or if what it depends on differs."""
        cached = self.readings.get(kind)
        return cached[1] if cached is not None and cached[0] == depends_on else None

    def keep(self, kind: str, reading: object, depends_on: object = None) -> None:
        """Cache a reading, in place of the earlier one of its kind."""
        self.readings[kind] = depends_on, reading

    def at(self, offset: int) -> Span:
        """The character at an offset from the start of the text."""
        before = _LINE_BREAK.split(self.text[:offset])
        line, column = len(before), len(before[-1]) + 1
        return Span(self, line, column, line, column + 1)


class Span(NamedTuple):
    """A range of a source: lines and columns count from 1, the end column is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def text(self) -> str:
        """The text of the range."""
        source = self.source
        start, stop = source.offset(self.line, self.column), source.offset(self.end_line, self.end_column)
        return source.text[start:stop]

    def inside(self, start: int, stop: int) -> Span:
        """The part of a one-line span between two offsets from its first character."""
        if self.line != self.end_line:
            return self
        first = min(self.column + start, self.end_column)
        return self._replace(column=first, end_column=max(first + 1, min(self.column + stop, self.end_column)))

    def seen_from(self, source: Source) -> str:
        """The line, as a note on a diagnostic of `source` names it."""
        return f"line {self.line}" + ("" if self.source is source else f" of {self.source.name}")

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


class Edit(NamedTuple):
    """A change of a source that corrects what a diagnostic reports: the text in place of a span."""

    span: Span
    text: str

    def as_json(self) -> dict[str, Any]:
        return {**_span_json(self.span), "text": self.text}


class Replacement(str):
    """A help text that names the text to write in place of a word."""

    __slots__ = ("text", "word")
    word: str
    text: str

    @staticmethod
    def of(help: str, word: str, text: str) -> Replacement:
        """The help, the word, and the text in its place."""
        replacement = Replacement(help)
        replacement.word, replacement.text = word, text
        return replacement


Note = tuple[str, ...]
"""One line under a diagnostic; the cells of adjacent notes are aligned in columns."""


@frozen(enforced=True)
class Diagnostic:
    """An error or warning about a spec, with its position.

    `code` is a key of `archspec.diagnostic_codes.CODES`, which has its severity and meaning.
    """

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str | None = None
    edits: tuple[Edit, ...] = ()
    """What corrects it; see `corrections`."""

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def corrections(self) -> tuple[Edit, ...]:
        """The edits that do what the help says, if a machine can: its own, or the one that replaces a word."""
        if self.edits or not isinstance(self.help, Replacement) or self.span is None or self.code not in _MISSPELT:
            return self.edits
        return (Edit(self.span, self.help.text),) if self.span.text.strip("'\"") == self.help.word else ()

    def render(self) -> str:
        """The diagnostic as text: position, code and message, the line with a caret, notes and help.

        Safe to print: control characters and invisible characters are escaped.
        """
        where = f"{self.span}: " if self.span else ""
        lines = [f"{where}{self.severity}[{self.code}]: {_short(self.message)}", *_excerpt(self.span)]
        lines += [f"    {line}" for line in aligned([tuple(map(_short, note)) for note in _shown(self.notes)])]
        if self.help:
            lines.append(f"    help: {_short(self.help)}")
        return "\n".join(map(visible, lines))

    def as_json(self) -> dict[str, Any]:
        """A plain mapping for `--format json`; `line` and `column` count from 1. Long texts are cut as in `render`."""
        return {
            **_span_json(self.span),
            "severity": self.severity,
            "code": self.code,
            "message": _short(self.message),
            "notes": ["  ".join(map(_short, note)) for note in _shown(self.notes)],
            "help": _short(self.help) if self.help else self.help,
            "edits": [edit.as_json() for edit in self.corrections],
        }


def _span_json(span: Span | None) -> dict[str, Any]:
    return {
        "file": span.source.name if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
    }


class ArchspecError(Exception):
    """The exception for errors in user input; it has all diagnostics."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(diagnostic.render() for diagnostic in self.diagnostics)


def fail(
    code: str,
    message: str,
    span: Span | None = None,
    *,
    notes: Sequence[Note] = (),
    help: str | None = None,
    edits: Sequence[Edit] = (),
) -> ArchspecError:
    """An error of one diagnostic, ready to be raised."""
    return ArchspecError([Diagnostic(code, message, span, tuple(notes), help, tuple(edits))])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most similar to `word`, ignoring case; None if none is similar."""
    return _nearest(word, tuple(islice(known, MOST_COMPARED))) if len(word) <= _LONGEST_COMPARED else None


@lru_cache(maxsize=128)
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    """As `difflib.get_close_matches`, but names are compared in the order of an upper bound of their similarity."""
    word, names = word.lower(), {name.lower(): name for name in known}
    letters = {letter: word.count(letter) for letter in word}.items()
    bounds: list[tuple[float, str]] = []
    for name in names:
        total = len(word) + len(name)
        if 2 * min(len(word), len(name)) >= _SIMILAR * total > 0:
            bound = 2 * sum([min(count, name.count(letter)) for letter, count in letters]) / total
            if bound >= _SIMILAR:
                bounds.append((bound, name))
    if not bounds:
        return None
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=word)
    closest, best = "", _SIMILAR
    for bound, name in sorted(bounds, reverse=True):
        if bound < best:
            break
        matcher.set_seq1(name)
        best, closest = max((best, closest), (matcher.ratio(), name))
    return names[closest] if closest else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help text for an unknown name: the nearest known name, or all of them if they are few."""
    names = list(islice(known, MOST_COMPARED))
    if close := nearest(word, names):
        help = f"did you mean '{close}'?"
        return Replacement.of(help, word, close) if _misspelt(word, close) else help
    if 0 < len(names) <= _FEW:
        return f"known here: {', '.join(names)}"
    return None


def _misspelt(word: str, known: str) -> bool:
    """Whether a word is a name with few letters wrong, and not another one like it, such as `nearest-exact`."""
    from difflib import SequenceMatcher

    swapped = sorted(word.lower()) == sorted(known.lower())
    return swapped or SequenceMatcher(a=word.lower(), b=known.lower()).ratio() >= _MISSPELT_SIMILAR


def warning_code_help(code: str) -> str:
    """A help text for a code that is not that of a warning."""
    if code in CODES:
        return "only warnings can be suppressed"
    return did_you_mean(code, WARNINGS) or "use a code that `archspec check` prints, as in warning[heavy-layer]"


MOST_COMPARED = 300
"""The names that are searched for the nearest one: the search takes time for each, and more for long ones."""

_LONGEST_COMPARED = 60

_SIMILAR = 0.6
"""The similarity from which a name may be meant: 1 is equal."""

_MISSPELT = frozenset(
    ("unknown-key", "unknown-op", "unknown-name", "unknown-argument", "unknown-param", "unknown-initializer",
     "unknown-import", "wrong-value", "wrong-type", "non-text-key", "bad-expression")
)  # fmt: skip
"""The codes of errors in a word, which can be replaced. A reference is not: another layer makes another network."""

_MISSPELT_SIMILAR = 0.8
"""The similarity from which a name is replaced."""

_FEW = 16
"""The most names that are listed if none is near."""

_WIDEST = 100
_LONGEST = 400


_MOST_NOTES = 12
"""The most notes that are shown below a diagnostic: an op may have hundreds of inputs."""


def _shown(notes: Sequence[Note]) -> Sequence[Note]:
    """The notes without those in the middle if there are too many; the last ones tell where all this is."""
    more = len(notes) - _MOST_NOTES
    return notes if more <= 0 else (*notes[: _MOST_NOTES - 3], (f"and {more} more",), *notes[-3:])


def _short(text: str) -> str:
    """A text without its middle if it is too long to read."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


def visible(text: str) -> str:
    """A text with escapes for control characters, invisible characters and those that change the direction of text."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def _excerpt(span: Span | None) -> list[str]:
    """The span's first line, cut to a width that fits a terminal, and the carets below it."""
    if span is None or span.line > len(span.source.lines):
        return []
    line = span.source.lines[span.line - 1]
    start = min(span.column - 1, len(line))
    stop = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    first = max(0, min(start - _WIDEST // 2, len(line) - _WIDEST))
    last = first + _WIDEST
    head, tail = "..." if first else "", "..." if last < len(line) else ""
    shown = head + "".join(map(_glyph, line[first:last])) + tail
    indent = " " * (len(head) + _width(line[first:start]))
    carets = "^" * max(1, _width(line[start : min(stop, last)]))
    number = f"{span.line:>5}"
    return [f"{number} | {shown}".rstrip(), f"{'':{len(number)}} | {indent}{carets}"]


def _glyph(mark: str) -> str:
    """A character of an excerpt as a terminal shows it, so that carets align."""
    if mark == "\t":
        return "    "
    return mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _width(text: str) -> int:
    """The columns of a text in a terminal: two for wide East Asian characters, none for combining marks."""
    return sum(4 if m == "\t" else 0 if combining(m) else 2 if east_asian_width(m) in "WF" else 1 for m in text)


def aligned(notes: Sequence[Note]) -> list[str]:
    """The notes as lines, with their cells padded to common columns, except the last cell of each note."""
    widths: list[int] = []
    for note in notes:
        widths += [0] * (len(note) - 1 - len(widths))
        widths[: len(note) - 1] = [max(pair) for pair in zip(widths, map(_width, note[:-1]), strict=False)]
    return ["  ".join([*(map(_filled, note[:-1], widths)), note[-1]]) for note in notes]


def _filled(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))
