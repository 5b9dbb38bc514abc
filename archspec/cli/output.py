"""Where the command line prints. No other module writes to stdout or stderr.

Each line is made safe to print: characters that a terminal would act on are escaped, and those that the encoding of the
stream lacks are replaced.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from archspec.diagnostics import fail, visible
from archspec.report.colours import BOLD, DIM, Line, Styled, escape_sequence

if TYPE_CHECKING:
    from pathlib import Path

    from archspec.diagnostics import Diagnostic
    from archspec.network import Network


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines of data to stdout.

    Raises:
        BrokenPipeError: the reader of stdout has gone.
        ArchspecError: stdout is closed or full.
    """
    for line in lines:
        if sys.stdout is None:
            raise fail("unwritable-file", "cannot write to standard output: it is closed")
        text = _printable(line, sys.stdout)
        with _stdout_errors():
            sys.stdout.write(text)


def need_stdout(*, text: bool, what: str) -> None:
    """Check that there is a stdout that can take a file.

    Raises:
        ArchspecError: it is closed; or it is a terminal, and the file is not text.
    """
    if sys.stdout is None:
        raise fail("unwritable-file", "cannot write to standard output: it is closed")
    if not text and sys.stdout.isatty():
        raise fail("unwritable-file", f"{what} is not for a terminal", help="redirect it, as in > FILE, or use -o FILE")


def print_file(path: Path, *, text: bool) -> None:
    """Write a file to stdout, byte by byte; text on a terminal line by line, as `print_lines` does.

    Raises:
        BrokenPipeError: the reader of stdout has gone.
        ArchspecError: stdout is full.
    """
    if text and sys.stdout.isatty():
        print_lines(path.read_text(encoding="utf-8").splitlines())
        return
    from shutil import copyfileobj

    with path.open("rb") as file, _stdout_errors():
        sys.stdout.flush()
        copyfileobj(file, sys.stdout.buffer)


def flush() -> None:
    """Write what stdout still buffers; errors are those of `print_lines`."""
    if sys.stdout is not None:
        with _stdout_errors():
            sys.stdout.flush()


def message(*lines: Line) -> None:
    """Print lines about the command itself to stderr. If stderr is closed or full, they are lost."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.writelines(_printable(line, sys.stderr) for line in lines)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def print_json(data: Any) -> None:
    """Print data as indented JSON in ASCII, which every encoding has."""
    import json

    print_lines(json.dumps(data, indent=2).split("\n"))


def report(diagnostics: Iterable[Diagnostic], *, stderr: bool = True) -> None:
    """Print diagnostics, in colour on a terminal."""
    from archspec.report.diagnostics import styled_lines

    lines = (line for diagnostic in diagnostics for line in styled_lines(diagnostic))
    if stderr:
        message(*lines)
    else:
        print_lines(lines)


def print_summary(network: Network, depth: int | None, *, complete: bool) -> None:
    """Print the table of layers, and the totals if it is complete; on a terminal as wide as that, with bold parts."""
    from archspec.report import summary

    if network.title:
        print_lines([[Styled(f"{network.name}: {network.title}", BOLD)]])
    print_lines(["  ".join(f"{value.name} {value.type}" for value in network.graph.inputs), ""])
    styles = {"heading": BOLD, "part": BOLD, "rule": DIM, "aside": DIM}
    table = summary.table(network.facts, depth, width=_width(), complete=complete)
    print_lines([Styled(line, styles.get(emphasis))] for line, emphasis in table)
    if complete:
        print_lines(["", *(f"{label:<12} {words}" for label, words in summary.totals(network.facts))])
    else:
        print_lines(["", "no totals, since layers with errors are left out"])


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose first row is its headings; the last column wraps at the width of a terminal."""
    from archspec.report.text_table import wrapped

    print_lines(wrapped([tuple(map(visible, row)) for row in rows], _width()))


@contextmanager
def warnings_as_messages() -> Iterator[None]:
    """Print Python's warnings as messages, such as those about unmatched weights. The process is the command's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda text, *_: message(*str(text).split("\n"))
        yield


def discard(stream: TextIO) -> None:
    """Send what a stream still buffers to nowhere: Python would write it once more at exit, and report the error."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


@contextmanager
def _stdout_errors() -> Iterator[None]:
    """Turn an error of stdout into a diagnostic, but for a reader that has gone, which is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        reason = error.strerror or error
        raise fail("unwritable-file", f"cannot write to standard output: {reason}") from error


def _printable(line: Line, stream: TextIO) -> str:
    """A line and its end as they are written to a stream, in colour if it shows colours."""
    parts = [Styled(line)] if isinstance(line, str) else line
    coloured = any(style for _, style in parts) and _has_colours(stream)
    texts = ((_encodable(visible(text), stream.encoding), style) for text, style in parts)
    return (
        "".join(escape_sequence(text, style) if coloured and style and text else text for text, style in texts) + "\n"
    )


def _encodable(text: str, encoding: str | None) -> str:
    """A text with replacements for the characters that an encoding lacks."""
    if text.isascii() or encoding is None or _has(encoding, text):
        return text
    return "".join(mark if _has(encoding, mark) else _SIMILAR.get(mark) or ascii(mark)[1:-1] for mark in text)


def _has(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


_SIMILAR = {"─": "-", "×": "x", "…": "~", "\N{REPLACEMENT CHARACTER}": "?"}
"""Replacements of the same width for the characters in tables and excerpts."""


def _has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours; NO_COLOR (no-color.org) and TERM=dumb say no."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int | None:
    """The columns of the terminal; None if stdout is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns
