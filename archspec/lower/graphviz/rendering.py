"""DOT as a file: as text, or as a picture made by the `dot` program or by the Graphviz inside pygraphviz."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from archspec.diagnostics import ArchspecError, fail
from archspec.lower import atomic_write

_TEXT = (".dot", ".gv")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of picture: how its bytes begin, attributes of the graph that suit it, and whether text is drawn in it.

    Where text is not drawn but kept as text, whoever shows the picture brings the fonts.
    """

    magic: bytes
    attributes: tuple[str, ...] = ()
    draws_text: bool = True


_PICTURES: Mapping[str, _Kind] = {
    "svg": _Kind(b"<?xml", draws_text=False),
    "png": _Kind(b"\x89PNG", ("dpi=144",)),
    # Readers of PDF take pages of up to 200 inches.
    "pdf": _Kind(b"%PDF", ("size=200,200",)),
}

ENDINGS = (*_TEXT, *(f".{kind}" for kind in _PICTURES))
"""The endings of files that can be written."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """A diagram, as DOT text. A notebook shows the picture."""

    source: str

    def __str__(self) -> str:
        return self.source

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": picture(self.source, "svg").decode("utf-8")}
        except ArchspecError as error:
            return {"text/plain": str(error)}


@dataclass(frozen=True, slots=True)
class _Graphviz:
    """A Graphviz that is there: a command that reads DOT and writes a picture.

    `kind` and `attribute` are what its options begin with.
    """

    command: tuple[str, ...]
    kind: str
    attribute: str

    def arguments(self, kind: str) -> list[str]:
        attributes = _PICTURES[kind].attributes
        return [*self.command, self.kind + kind, *(self.attribute + attribute for attribute in attributes)]


def render(dot: Diagram | str, path: str | Path, *, seconds: float = 300) -> None:
    """Write a diagram to a file, whole or not at all; its ending says how.

    Args:
        dot: a diagram, or DOT text.
        path: the file: .dot, .gv, .svg, .png or .pdf.
        seconds: how long Graphviz may take.

    Raises:
        ArchspecError: another ending, no Graphviz or no fonts for a picture, a Graphviz that fails or takes too long,
            or a file that cannot be written.
    """
    path, source = Path(path), str(dot)
    ending = path.suffix.lower()
    if ending in _TEXT:
        atomic_write.write_text(path, source)
    elif ending in ENDINGS:
        atomic_write.write(path, lambda draft: atomic_write.put(draft, [picture(source, ending[1:], seconds=seconds)]))
    else:
        raise fail(
            "wrong-target",
            f"a diagram cannot be written as {ending or path.name}",
            help=f"known endings: {', '.join(ENDINGS)}",
        )


def picture(source: str, kind: str, *, seconds: float = 300) -> bytes:
    """A picture of DOT text: `svg`, `png` or `pdf`, with the same bytes for the same text.

    Raises:
        ArchspecError: there is no Graphviz or, for PNG and PDF, no font; or Graphviz fails or takes too long.
    """
    reasons: list[str] = []
    for graphviz in _installed():
        if _PICTURES[kind].draws_text and not _finds_fonts(graphviz):
            raise fail(
                "missing-library",
                f"drawing .{kind} needs a font, and Graphviz finds none",
                help="install one, such as fonts-liberation or fonts-dejavu, or write .svg",
            )
        made = _run(graphviz.arguments(kind), source, seconds)
        if made.returncode == 0 and made.stdout.startswith(_PICTURES[kind].magic):
            return _undated(made.stdout) if kind == "pdf" else made.stdout
        reasons.append(_reason(made))
    if not reasons:
        raise fail(
            "missing-library",
            f"drawing .{kind} needs Graphviz, and there is neither the program `dot` nor the library pygraphviz",
            help="pip install pygraphviz, or write .dot and draw it elsewhere",
        )
    raise fail("unsupported", f"Graphviz cannot draw this: {reasons[0]}", help="a .dot file can be written without it")


def _installed() -> Iterator[_Graphviz]:
    """Every Graphviz there is, the best first."""
    if program := shutil.which("dot"):
        yield _Graphviz((program,), "-T", "-G")
    if sys.executable and find_spec("pygraphviz"):
        yield _Graphviz((sys.executable, "-P", str(Path(__file__).with_name("render_worker.py"))), "", "")


@cache
def _finds_fonts(graphviz: _Graphviz) -> bool:
    """Whether two letters look different; without a font, every letter is the same empty box."""
    letters = [_run(graphviz.arguments("png"), f"digraph {{ {letter} }}", 60).stdout for letter in "ab"]
    return letters[0] != letters[1] or not letters[0]


def _run(command: list[str], source: str, seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Run Graphviz; one that cannot be started has failed like one that stops.

    Raises:
        ArchspecError: it takes too long.
    """
    # The child finds the modules that we find, and dates its picture 1970 if it dates it at all.
    surroundings = {"SOURCE_DATE_EPOCH": "0", **os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        return subprocess.run(  # noqa: S603 - the program is `dot` or our own worker, and no shell is in between
            command, input=source.encode("utf-8"), capture_output=True, timeout=seconds, env=surroundings, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise fail(
            "too-large",
            f"Graphviz had not finished after {seconds:g} seconds",
            help="draw less: give a depth, or fold what repeats",
        ) from error
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, b"", str(error).encode())


def _reason(made: subprocess.CompletedProcess[bytes]) -> str:
    """Why Graphviz failed: the last thing it said, or how it ended."""
    if made.returncode < 0:
        return f"it was ended by signal {-made.returncode}"
    said = [line for line in made.stderr.decode("utf-8", "replace").splitlines() if line and "Fontconfig" not in line]
    return said[-1] if said else f"it ended with status {made.returncode}"


def _undated(pdf: bytes) -> bytes:
    """A PDF without the time it was made; its length, and so the offsets it holds, stay."""
    return re.sub(rb"/CreationDate \(D:\d{14}", b"/CreationDate (D:19700101000000", pdf, count=1)
