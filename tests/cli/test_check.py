"""`archspec check` with folders, patterns and settings, and what it says about what it did not check."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli import WARNED, run

GOOD = "archspec: 1\nname: n\ninput: [3, 8, 8]\nparams: {width: 4}\nlayers: [conv: {channels: width, kernel: 3}]\n"
PARTS = "archspec: 1\nblocks:\n  part: {args: [w], layers: [conv: {channels: w, kernel: 1}]}\n"
EXPECTING = GOOD + "expect: {params: 112}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "specs/a.yaml": GOOD, "specs/deep/b.yml": EXPECTING, "specs/deep/parts.yaml": PARTS, "warned.yaml": WARNED,
        "specs/ci.yaml": "on: push\n", "empty/ci.yaml": "on: push\n",
        "specs/.hidden/c.yaml": "archspec: 2\n", "specs/notes.txt": "archspec: 2\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


SKIPPED = "skipped, since there is no key `archspec`: {}\n"
READ_ONLY = "read only, since a block is built where a spec calls it: specs/deep/parts.yaml\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["specs"], READ_ONLY + SKIPPED.format("specs/ci.yaml") + "2 specs and 1 file of blocks"),
        (["specs/**/*.yaml"], READ_ONLY + SKIPPED.format("specs/ci.yaml") + "1 spec and 1 file of blocks"),
        (["specs/deep/*"], READ_ONLY + "1 spec and 1 file of blocks"),
        (["specs/a.yaml", "specs", "specs/*.yaml"],
         READ_ONLY + SKIPPED.format("specs/ci.yaml") + "2 specs and 1 file of blocks"),
        (["specs/deep/parts.yaml"], READ_ONLY + "1 file of blocks"),
    ],
)  # fmt: skip
def test_folders_and_patterns(folder: Path, given: list[str], said: str) -> None:
    assert run("check", *given, cwd=folder) == ("", f"{said}: no errors\n")


@pytest.mark.parametrize(
    ("given", "said"), [("empty", "in the folder empty"), ("none/*.yaml", "that matches none/*.yaml")]
)
def test_where_there_is_no_spec(folder: Path, given: str, said: str) -> None:
    out, _ = run("check", given, cwd=folder, code=1)
    assert out.startswith(f"error[unknown-spec]: there is no spec {said}\n    help: specs end in .yaml or .yml")


def test_a_file_that_is_named_is_checked_whatever_it_is(folder: Path) -> None:
    assert "missing-key" in run("check", "specs/ci.yaml", cwd=folder, code=1)[0]


@pytest.mark.parametrize("format", ["text", "json", "github"])
def test_warnings_fail_if_strict(folder: Path, format: str) -> None:
    loose, _ = run("check", "warned.yaml", "--format", format, cwd=folder)
    strict, _ = run("check", "warned.yaml", "--format", format, "--strict", cwd=folder, code=1)
    assert loose == strict
    run("check", "warned.yaml", "--format", format, "--strict", "--allow", "bias-before-norm", cwd=folder)


def test_params_and_inputs_can_be_set(folder: Path) -> None:
    """What is expected is expected of the spec as it is written."""
    run("check", "specs/deep/b.yml", "--set", "width=5", "--input", "3x5x5", cwd=folder)
    small, _ = run("check", "specs/deep/b.yml", "--input", "3x2x2", cwd=folder, code=1)
    assert "error[kernel-too-large]" in small
    wrong, _ = run("check", "specs/deep/b.yml", "--set", "widht=5", cwd=folder, code=1)
    assert "error[unknown-param]: 'n' has no param 'widht'\n    help: did you mean 'width'?" in wrong
    assert "is not PARAM=VALUE" in run("check", "specs", "--set", "width", cwd=folder, code=1)[1]
