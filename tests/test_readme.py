"""The README and the page on usage show real output: their commands and scripts are run, and print what they show.

`--update-golden` writes what they print into the pages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec

ROOT = Path(archspec.__file__).parent.parent
PAGES = ("README.md", "specs/USAGE.md")
BLOCK = re.compile(r"^```(\w+(?: no-run)?)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
SELF = "./tools/test"
"""The one command that is not run from here, since it is what runs this test."""


def blocks(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, body) for kind, body in BLOCK.findall(text))


def output(command: list[str], folder: Path) -> str:
    """What a command prints, on a terminal or not, both streams together."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", cwd=folder,
        env=environment, check=False,
    )  # fmt: skip
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def run(line: str, folder: Path) -> str:
    """What a line of a console block prints; `> FILE` at its end writes that to a file instead."""
    if " > " in line:
        line, _, file = line.partition(" > ")
        (folder / file).write_text(run(line, folder), "utf-8")
        return ""
    program, *arguments = shlex.split(line)
    if program in ("archspec", "./tools/archspec"):
        return output([sys.executable, "-m", "archspec", *arguments], folder)
    assert program == "cat", f"the README runs {program}"
    return (folder / arguments[0]).read_text()


def executed(text: str, folder: Path) -> str:
    """The README with its outputs as they are."""
    printed = ""

    def block(match: re.Match[str]) -> str:
        nonlocal printed
        kind, body = match.groups()
        if kind == "yaml":
            file = folder / body.split()[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body)
        elif kind == "console":
            commands = re.findall(r"^\$ (.*)$", body, re.MULTILINE)
            body = "".join(f"$ {line}\n" + ("" if line == SELF else run(line, folder)) for line in commands)
        elif kind == "python no-run":
            compile(body, "<page>", "exec")  # it needs a package that the tests do not install
        elif kind == "python":
            printed = output([sys.executable, "-c", body], folder)
        elif kind == "text":
            body = printed
        return f"```{kind}\n{body}```\n"

    return BLOCK.sub(block, text)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    now = executed(text, tmp_path)
    if request.config.getoption("--update-golden"):
        (ROOT / page).write_text(now, encoding="utf-8")
        return
    assert now == text


def test_the_two_commands_of_the_readme_can_be_run() -> None:
    assert os.access(ROOT / SELF, os.X_OK)
    assert os.access(ROOT / "tools" / "archspec", os.X_OK)


def test_links_lead_somewhere() -> None:
    pages = (*PAGES, "CHANGELOG.md", "CONTRIBUTING.md", "archspec/README.md", "specs/README.md", "specs/OPS.md")
    for page in map(ROOT.joinpath, pages):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}"
