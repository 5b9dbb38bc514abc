"""Every mistake in the corpus is told as its golden file says, and every code of an error is in it.

A spec `faulty/name.yaml` has its diagnostics beside it in `name.txt`; what some import is in `faulty/blocks`. After a
change of words, run pytest with `--update-golden` and read the diff as a user would.
"""

from __future__ import annotations

import ast
from contextlib import chdir
from pathlib import Path

import pytest

from archspec.diagnostic_codes import CODES
from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.frontend.yaml.tree import decode
from archspec.loading import check_source

CORPUS = Path(__file__).parent / "faulty"
PACKAGE = Path(__file__).parent.parent / "archspec"
SPECS = sorted(CORPUS.glob("*.yaml"))

# What no spec can do wrong: these stand where files, names on a command line, weights or targets are at fault.
NOT_OF_SPECS = {
    "unreadable-file", "unwritable-file", "unknown-spec", "wrong-input", "invalid-graph", "wrong-target",
    "unsupported", "wrong-weights", "wrong-numbers", "wrong-device", "missing-library", "wrong-plugin",
}  # fmt: skip


def check(path: Path) -> tuple[Diagnostic, ...]:
    """What is said of a spec by whoever stands beside it, so that imported files go by their short names."""
    try:
        with chdir(CORPUS):
            return check_source(decode(path.name, path.read_bytes(), Path(path.name)))
    except ArchspecError as error:
        return error.diagnostics


def rendered(found: tuple[Diagnostic, ...]) -> str:
    return "\n".join(each.render() for each in found) + "\n" if found else "no errors\n"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_diagnostics_match_the_golden_file(path, request):
    beside = path.with_suffix(".txt")
    text = rendered(check(path))
    if request.config.getoption("--update-golden"):
        beside.write_text(text, "utf-8", newline="\n")
    assert beside.is_file(), "run pytest with --update-golden, and read the diff"
    assert text == beside.read_bytes().decode("utf-8")


def test_every_golden_file_has_its_spec():
    assert [path.name for path in CORPUS.glob("*.txt") if path.with_suffix(".yaml") not in SPECS] == []


def test_corpus_size():
    faulty = [path for path in SPECS if not path.stem.startswith("fine_")]
    assert len(faulty) >= 130


@pytest.mark.parametrize(
    "path", [path for path in SPECS if path.stem.startswith("limits_")], ids=lambda path: path.stem
)
def test_limits_are_checked_before_the_work(path):
    """Were one to act later, this would take hours or all memory."""
    assert {each.code for each in check(path)} <= {
        "too-large",
        "too-deep",
        "endless-recursion",
        "bad-expression",
        "wrong-value",
    }


def test_the_corpus_has_every_error_of_specs():
    """The golden files name the codes, so this need not check the corpus once more."""
    texts = "".join(path.with_suffix(".txt").read_text("utf-8") for path in SPECS)
    errors = {code for code, about in CODES.items() if about.severity == "error"}
    assert {code for code in errors if f"error[{code}]" not in texts} - NOT_OF_SPECS == set()


def test_every_code_that_is_raised_is_documented_and_every_documented_one_is_raised():
    """Codes are told from other texts by their form: small letters with hyphens, alone in a literal."""
    written = {
        node.value
        for path in PACKAGE.rglob("*.py")
        if path.name != "diagnostic_codes.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {code for code in CODES if code not in written} == set()
    raised = {code for path in PACKAGE.rglob("*.py") for code in _raised(ast.parse(path.read_text("utf-8")))}
    assert raised - CODES.keys() == set()


def _raised(tree: ast.AST) -> set[str]:
    """The first arguments of what makes diagnostics, where they are written out."""
    makers = {"fail", "Diagnostic", "OpError", "note", "stop"}
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", None)) in makers
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
