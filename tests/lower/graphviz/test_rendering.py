"""Files are written completely or not at all, by an installed Graphviz; its failures become diagnostics."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.lower.graphviz import Diagram, draw, render, rendering
from tests.lower.graphviz.drawings import network

MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
SHELL_MAGIC = {"svg": "<?xml", "png": r"\211PNG\r\n\032\n", "pdf": "%%PDF-"}
"""The same for `printf` of a shell."""

PURE = next(path for path in map(Path, sys.path) if (path / "pygraphviz").is_dir()).parents[2] / "bin" / "graphviz-pure"
"""The program of the extra `draw`, beside the Python that runs the tests."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="replaces `dot` by a shell script")


@pytest.fixture(autouse=True)
def no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Hide the programs `dot` and graphviz-pure of this machine, and empty the cache of `_finds_fonts`."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "scripts"))
    rendering._finds_fonts.cache_clear()
    yield
    rendering._finds_fonts.cache_clear()


def program(tmp_path: Path, script: str, name: str = "bin/dot") -> None:
    """Install a program: `dot` in a folder on the path, if no other name is given."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nexport PATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)


def without_library(monkeypatch: pytest.MonkeyPatch, name: str = "pygraphviz") -> None:
    monkeypatch.setitem(sys.modules, name, None)


def failure(path: Path, diagram: Diagram | str = "digraph { a }", **options: float) -> Diagnostic:
    """The diagnostic of a diagram that cannot be written; no file remains."""
    before = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    with pytest.raises(ArchspecError) as error:
        render(diagram, path, **options)
    assert (sorted(path.parent.iterdir()) if path.parent.is_dir() else []) == before
    (diagnostic,) = error.value.diagnostics
    return diagnostic


@pytest.mark.parametrize("kind", MAGIC)
def test_pictures(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    diagram = draw(network("lenet5"))
    render(diagram, tmp_path / f"one.{kind}")
    render(diagram, str(tmp_path / f"two.{kind.upper()}"))
    content = (tmp_path / f"one.{kind}").read_bytes()
    assert content.startswith(MAGIC[kind])
    assert content == (tmp_path / f"two.{kind.upper()}").read_bytes()
    assert b"/CreationDate (D:" not in content.replace(b"/CreationDate (D:1970", b""), "no time of creation"
    assert capfd.readouterr() == ("", ""), "the terminal stays clean"


@pytest.mark.parametrize("ending", [".dot", ".gv"])
def test_text(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    diagram = draw(network("lenet5"))
    render(diagram, tmp_path / f"net{ending}")
    assert (tmp_path / f"net{ending}").read_text("utf-8") == diagram.source


@pytest.mark.parametrize("name", ["resnet18", "unet", "inception", "siamese", "lenet5_1998"])
def test_every_node_is_in_the_svg(name: str, tmp_path: Path) -> None:
    render(draw(network(name)), tmp_path / "net.svg")
    svg = ElementTree.parse(tmp_path / "net.svg")
    groups = [group.get("class") for group in svg.iter("{http://www.w3.org/2000/svg}g")]
    graph = network(name)
    assert groups.count("node") == len(graph.nodes) + len(graph.inputs) + len(graph.outputs)
    assert groups.count("edge") == sum(len(node.inputs) for node in graph.nodes) + len(graph.outputs)
    titles = [link.get("{http://www.w3.org/1999/xlink}title") for link in svg.iter("{http://www.w3.org/2000/svg}a")]
    assert any("weight [" in (title or "") for title in titles)


def test_a_notebook_shows_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    diagram = draw(network("lenet5"))
    assert diagram._repr_mimebundle_()["image/svg+xml"].startswith("<?xml")
    without_library(monkeypatch)
    assert "missing-library" in diagram._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("kind", MAGIC)
def test_without_graphviz(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    diagnostic = failure(tmp_path / f"net.{kind}")
    assert diagnostic.code == "missing-library"
    extra = "pdf" if kind == "pdf" else "draw"
    command = f"pip install 'archspec-compiler[{extra}]'"
    assert diagnostic.help == f"{command}, or write .dot and draw it elsewhere"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_small_graphviz_of_an_extra_draws(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(PURE.parent))
    render(draw(network("unet")), tmp_path / f"net.{kind}")
    content = (tmp_path / f"net.{kind}").read_bytes()
    assert content.startswith(MAGIC[kind])
    if kind == "svg":
        names = {element.text for element in ElementTree.fromstring(content).iter() if element.text}
        assert any("conv" in name for name in names)


def test_without_the_package_that_writes_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch, "graphviz")
    with pytest.raises(ArchspecError) as error:
        draw(network("lenet5"))
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.help) == ("missing-library", "pip install graphviz")


def test_another_ending(tmp_path: Path) -> None:
    for name, what in [("net.jpg", ".jpg"), ("net", "net"), ("net.svg.gz", ".gz")]:
        diagnostic = failure(tmp_path / name)
        assert (diagnostic.code, diagnostic.message) == ("wrong-target", f"a diagram cannot be written as {what}")
        assert diagnostic.help == "known endings: .dot, .gv, .svg, .png, .pdf"


@pytest.mark.parametrize("kind", ["dot", "svg"])
def test_a_missing_folder(kind: str, tmp_path: Path) -> None:
    assert failure(tmp_path / "nowhere" / f"net.{kind}").code == "unwritable-file"
    (tmp_path / "file").touch()
    assert failure(tmp_path / "file" / f"net.{kind}").code == "unwritable-file"
    (tmp_path / f"net.{kind}").mkdir()
    assert failure(tmp_path / f"net.{kind}").code == "unwritable-file"


def test_invalid_dot(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    diagnostic = failure(tmp_path / "net.svg", "digraph { a -> }")
    assert diagnostic.code == "unsupported"
    assert diagnostic.message.startswith("Graphviz cannot draw this: ")
    assert capfd.readouterr() == ("", "")


@posix
def test_the_program_dot_is_used_if_installed(tmp_path: Path) -> None:
    program(tmp_path, 'echo "<?xml $1"; cat')
    render("digraph { a }", tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_text() == "<?xml -Tsvg\ndigraph { a }"


@posix
@pytest.mark.parametrize("script", ["echo 'Format: \"svg\" not recognized' >&2; exit 1", "kill -SEGV $$", "exit 0"])
def test_the_library_is_used_if_the_program_fails(script: str, tmp_path: Path) -> None:
    program(tmp_path, script)
    render("digraph { a }", tmp_path / "net.svg")
    assert b"<title>a</title>" in (tmp_path / "net.svg").read_bytes()


@posix
@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_graphviz_pure_renders_what_it_can(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program may be in an environment that is not active. It writes no PDF."""
    program(tmp_path, f'printf "{SHELL_MAGIC[kind]}"; echo "$@"; cat', "scripts/graphviz-pure")
    without_library(monkeypatch)
    if kind == "pdf":
        assert failure(tmp_path / "net.pdf").code == "missing-library"
        return
    render("digraph { a }", tmp_path / f"net.{kind}")
    written = (tmp_path / f"net.{kind}").read_bytes()
    dpi = b" -Gdpi=144" if kind == "png" else b""
    fonts = b"-Gfontname=Helvetica -Nfontname=Helvetica -Efontname=Helvetica"
    assert written == MAGIC[kind] + fonts + b" -T" + kind.encode() + dpi + b"\ndigraph { a }"


@posix
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'something' >&2; echo 'Error: lost' >&2; exit 1", "Error: lost"),
        ("kill -SEGV $$", "it was ended by signal 11"),
        ("exit 3", "it ended with status 3"),
    ],
)
def test_a_crash_is_a_diagnostic(script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    program(tmp_path, script)
    diagnostic = failure(tmp_path / "net.svg")
    assert (diagnostic.code, diagnostic.message) == ("unsupported", f"Graphviz cannot draw this: {reason}")


@posix
def test_a_program_that_cannot_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    program(tmp_path, "")
    (tmp_path / "bin" / "dot").write_bytes(b"#!/nowhere/at/all\n")
    assert failure(tmp_path / "net.svg").code == "unsupported"


@posix
def test_the_time_limit(tmp_path: Path) -> None:
    program(tmp_path, "exec sleep 60")
    diagnostic = failure(tmp_path / "net.svg", seconds=0.2)
    assert diagnostic.code == "too-large"
    assert diagnostic.message == "Graphviz had not finished after 0.2 seconds"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="takes the fonts away from fontconfig")
def test_without_a_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text("<?xml version='1.0'?><fontconfig><dir>/nowhere</dir></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for kind in ("png", "pdf"):
        diagnostic = failure(tmp_path / f"net.{kind}")
        assert (diagnostic.code, diagnostic.message) == (
            "missing-library",
            f"drawing .{kind} needs a font, and Graphviz finds none",
        )
    render("digraph { a }", tmp_path / "net.svg")
    assert b">a</text>" in (tmp_path / "net.svg").read_bytes(), "the viewer of an SVG supplies the fonts"
