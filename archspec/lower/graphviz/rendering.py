"""Diagrams as files: DOT text, or a picture rendered by the Graphviz that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from archspec.diagnostics import ArchspecError, fail
from archspec.lower import atomic_write
from archspec.lower.optional_deps import install_command

_TEXT = (".dot", ".gv")


@dataclass(frozen=True, slots=True)
class _PictureFormat:
    """A picture format: the first bytes of a file, the graph attributes it needs, and whether Graphviz draws its text.

    An SVG keeps text as text, so the viewer supplies the font.
    """

    magic: bytes
    attributes: tuple[str, ...] = ()
    draws_text: bool = True


_PICTURES: Mapping[str, _PictureFormat] = {
    "svg": _PictureFormat(b"<?xml", draws_text=False),
    "png": _PictureFormat(b"\x89PNG", ("dpi=144",)),
    # PDF viewers accept pages of at most 200 inches.
    "pdf": _PictureFormat(b"%PDF", ("size=200,200",)),
}

ENDINGS = (*_TEXT, *(f".{kind}" for kind in _PICTURES))
"""The file name endings that `render` accepts."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """A diagram as DOT text. A notebook displays it as a picture."""

    source: str

    def __str__(self) -> str:
        return self.source

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": picture(self.source, "svg").decode("utf-8")}
        except ArchspecError as error:
            return {"text/plain": str(error)}


@dataclass(frozen=True, slots=True)
class _Renderer:
    """An installed Graphviz: a command that reads DOT from standard input and writes a picture to standard output.

    Attributes:
        command: the program, with its fixed arguments.
        format_option: the prefix of the argument that selects the picture format.
        attribute_option: the prefix of an argument that sets a graph attribute.
        formats: the picture formats that it writes.
        has_fonts: whether it brings its own fonts, so that it needs none from the system.
    """

    command: tuple[str, ...]
    format_option: str = "-T"
    attribute_option: str = "-G"
    formats: frozenset[str] = frozenset(_PICTURES)
    has_fonts: bool = False

    def arguments(self, kind: str) -> list[str]:
        attributes = _PICTURES[kind].attributes
        return [*self.command, self.format_option + kind, *(self.attribute_option + each for each in attributes)]


def render(dot: Diagram | str, path: str | Path, *, seconds: float = 300) -> None:
    """Write a diagram to a file; the file name ending selects the format. On failure, no partial file remains.

    Args:
        dot: a diagram, or DOT text.
        path: the file: .dot, .gv, .svg, .png or .pdf.
        seconds: the time limit for Graphviz.

    Raises:
        ArchspecError: the ending is unknown, a picture needs Graphviz or a font that is not installed, Graphviz fails
            or exceeds the time limit, or the file cannot be written.
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
    """Render DOT text as `svg`, `png` or `pdf`. The same text gives the same bytes.

    Every installed Graphviz is tried, the best first, until one succeeds.

    Raises:
        ArchspecError: no Graphviz is installed or, for PNG and PDF, no font; or Graphviz fails or exceeds the time
            limit.
    """
    failures: list[str] = []
    lacks_font = False
    for renderer in _installed():
        if kind not in renderer.formats:
            continue
        if _PICTURES[kind].draws_text and not renderer.has_fonts and not _finds_fonts(renderer):
            lacks_font = True
            continue
        process = _run(renderer.arguments(kind), source, seconds)
        if process.returncode == 0 and process.stdout.startswith(_PICTURES[kind].magic):
            return _without_date(process.stdout) if kind == "pdf" else process.stdout
        failures.append(_failure(process))
    if failures:
        raise fail(
            "unsupported", f"Graphviz cannot draw this: {failures[0]}", help="a .dot file can be written without it"
        )
    if lacks_font:
        raise fail(
            "missing-library",
            f"drawing .{kind} needs a font, and Graphviz finds none",
            help="install one, such as fonts-liberation or fonts-dejavu, or write .svg",
        )
    command = install_command("graphviz_pure" if kind in _LIGHT_FORMATS else "pygraphviz")
    raise fail(
        "missing-library",
        f"drawing .{kind} needs Graphviz, and none is installed",
        help=f"{command}, or write .dot and draw it elsewhere",
    )


_LIGHT_FORMATS = frozenset({"svg", "png"})
"""The picture formats that graphviz-pure writes."""


def _installed() -> Iterator[_Renderer]:
    """Every installed Graphviz, the best first: `dot`, the library in pygraphviz, the program graphviz-pure.

    graphviz-pure measures text only in fonts given by a single name. It contains Arimo, which has the letter widths of
    Helvetica, and draws PNG with it.
    """
    if program := shutil.which("dot"):
        yield _Renderer((program,))
    if sys.executable and find_spec("pygraphviz"):
        worker = Path(__file__).with_name("render_worker.py")
        yield _Renderer((sys.executable, "-P", str(worker)), format_option="", attribute_option="")
    scripts = sysconfig.get_path("scripts")  # of an environment that need not be active, and so not in PATH
    if program := shutil.which("graphviz-pure", path=os.pathsep.join([scripts, os.environ.get("PATH", "")])):
        font = [f"-{element}fontname=Helvetica" for element in "GNE"]
        yield _Renderer((program, *font), formats=_LIGHT_FORMATS, has_fonts=True)


@cache
def _finds_fonts(renderer: _Renderer) -> bool:
    """Whether two letters are drawn differently: without a font, every letter is the same empty box."""
    letters = [_run(renderer.arguments("png"), f"digraph {{ {letter} }}", 60).stdout for letter in "ab"]
    return letters[0] != letters[1] or not letters[0]


def _run(command: list[str], source: str, seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Run Graphviz; a program that cannot be started counts as one that failed.

    Raises:
        ArchspecError: it exceeds the time limit.
    """
    # The child process imports from the same folders, and dates a picture 1970 if it dates it at all.
    environment = {"SOURCE_DATE_EPOCH": "0", **os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        return subprocess.run(  # noqa: S603 - the program is Graphviz or our own worker, started without a shell
            command, input=source.encode("utf-8"), capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise fail(
            "too-large",
            f"Graphviz had not finished after {seconds:g} seconds",
            help="draw less: set a depth, or fold repeated blocks",
        ) from error
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, b"", str(error).encode())


def _failure(process: subprocess.CompletedProcess[bytes]) -> str:
    """Why Graphviz failed: the last line of its error output, or its exit status."""
    if process.returncode < 0:
        return f"it was ended by signal {-process.returncode}"
    lines = process.stderr.decode("utf-8", "replace").splitlines()
    messages = [line for line in lines if line and "Fontconfig" not in line]
    return messages[-1] if messages else f"it ended with status {process.returncode}"


def _without_date(pdf: bytes) -> bytes:
    """A PDF dated 1970; its length, and so the offsets in it, stay the same."""
    return re.sub(rb"/CreationDate \(D:\d{14}", b"/CreationDate (D:19700101000000", pdf, count=1)
