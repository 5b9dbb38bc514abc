"""Where the command line prints. No other module writes to stdout or stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from archspec.diagnostics import Diagnostic
    from archspec.network import Network


def message(text: str) -> None:
    """Print a line about the command itself to stderr."""
    sys.stderr.write(text + "\n")


def print_json(data: Any, *, ensure_ascii: bool = True) -> None:
    """Print data as indented JSON."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=ensure_ascii) + "\n")


def report(diagnostics: Iterable[Diagnostic], *, stderr: bool = True) -> None:
    """Print diagnostics, in colour on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    coloured = has_colours(stream)
    for diagnostic in diagnostics:
        if coloured:
            from archspec.report.diagnostics import coloured as in_colours

            stream.write(in_colours(diagnostic) + "\n")
        else:
            stream.write(diagnostic.render() + "\n")


def print_summary(network: Network, depth: int | None) -> None:
    """Print the table of layers and the totals; on a terminal as wide as that, with parts in bold."""
    from archspec.report import summary
    from archspec.report.colours import BOLD, DIM, styled

    coloured = has_colours(sys.stdout)
    if network.title:
        title = f"{network.name}: {network.title}"
        sys.stdout.write((styled(title, BOLD) if coloured else title) + "\n")
    sys.stdout.write("  ".join(f"{value.name} {value.type}" for value in network.graph.inputs) + "\n\n")
    styles = {"heading": BOLD, "part": BOLD, "rule": DIM, "aside": DIM}
    for line, emphasis in summary.table(network.facts, depth, width=_width()):
        style = styles.get(emphasis) if coloured else None
        sys.stdout.write((styled(line, style) if style else line) + "\n")
    sys.stdout.write("\n")
    sys.stdout.writelines(f"{label:<12} {words}\n" for label, words in summary.totals(network.facts))


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first row is its headings; the last column wraps at the width of a terminal."""
    from archspec.report.text_table import wrapped

    sys.stdout.writelines(line + "\n" for line in wrapped(rows, _width()))


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours; NO_COLOR (no-color.org) and TERM=dumb say no."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int | None:
    """The columns of the terminal; None if stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
