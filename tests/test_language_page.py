"""The language reference, `specs/README.md`: its examples are valid, and commands print the output shown.

A block of YAML is a spec, or a part of one that the test completes. One that starts with the name of a file is written
to that file. A block of commands runs on the example before it. `--update-golden` writes their output into the page.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest

import archspec
from archspec import cli
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.language.document import SPEC
from archspec.frontend.language.expect import EXPECT
from archspec.frontend.language.structures import COMMON, CONSTRUCTS
from archspec.frontend.language.weight_options import WEIGHT_KEYS
from tools import language_reference, pages

FRAME = {"archspec": "1", "name": "example", "input": "[3, 32, 32]", "layers": "[identity]", "allow": "[heavy-layer]"}
"""The keys that the partial specs of the page leave out."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
EXAMPLES = [body for kind, body in BLOCK.findall(pages.LANGUAGE.read_text("utf-8")) if kind == "yaml"]


def framed(text: str) -> str:
    """Complete a partial spec. Keys are added at its end, so that line numbers stay the same."""
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    if "inputs" in keys:
        keys.add("input")
    return text + "".join(f"{key}: {value}\n" for key, value in FRAME.items() if key not in keys)


def named(text: str) -> str | None:
    """The name of the file in the first line of an example, if any."""
    found = re.match(r"# (\S+\.yaml)\n", text)
    return found and found[1]


def printed(line: str) -> str:
    """The output of a command, stdout and stderr together."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
        patch.setattr(sys, "argv", shlex.split(line))
        with suppress(SystemExit):
            cli.main()
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def executed(text: str) -> str:
    """The page with the actual outputs of its commands. Examples without a command are checked."""
    blocks = BLOCK.findall(text)
    followed = {i for i, (kind, _) in enumerate(blocks[1:]) if kind == "console"}
    number = -1

    def block(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        kind, body = match.groups()
        if kind == "yaml" and (file := named(body)):
            Path(file).write_text(body, "utf-8")
        elif kind == "yaml":
            Path("example.yaml").write_text(framed(body), "utf-8")
            found = () if number in followed else archspec.check("example.yaml")
            assert not found, body + "\n".join(diagnostic.render() for diagnostic in found)
        else:
            assert kind == "console", kind
            commands = re.findall(r"^\$ (.*)$", body, re.MULTILINE)
            body = "".join(f"$ {line}\n{printed(line)}" for line in commands)
        return f"```{kind}\n{body}```\n"

    return BLOCK.sub(block, text)


def test_examples_are_valid_and_commands_print_the_output_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    text = pages.LANGUAGE.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    now = executed(text)
    if request.config.getoption("--update-golden"):
        pages.LANGUAGE.write_text(now, "utf-8")
    else:
        assert now == text


def test_tables_are_up_to_date() -> None:
    assert pages.LANGUAGE.read_text("utf-8") == language_reference.page(), "run ./tools/language_reference.py"


@pytest.mark.parametrize(
    "key", [*SPEC, *CONSTRUCTS, *COMMON, *WEIGHT_KEYS, *EXPECT, *(k for c in CONSTRUCTS.values() for k in c.keys)]
)
def test_every_key_is_in_an_example(key: str) -> None:
    assert any(re.search(rf"\b{key}:", text) for text in EXAMPLES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_listed(function: str) -> None:
    assert re.search(rf"^- `{function}\(", pages.LANGUAGE.read_text("utf-8"), re.MULTILINE)
