"""The corpus of faulty specs: their diagnostics match golden files, and every error code of specs occurs.

The diagnostics of `faulty/name.yaml` are in `faulty/name.txt`; imported files are in `faulty/blocks`. After a change of
wording, run pytest with `--update-golden` and read the diff as a user would.
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

# Errors of files, command lines, weights, targets and plugins, which no spec can cause.
NOT_OF_SPECS = {
    "unreadable-file", "unwritable-file", "unknown-spec", "wrong-input", "invalid-graph", "wrong-target",
    "unsupported", "wrong-weights", "wrong-numbers", "wrong-device", "missing-library", "wrong-plugin",
}  # fmt: skip


def check(path: Path) -> tuple[Diagnostic, ...]:
    """The diagnostics of a spec, checked in its folder so that messages have short file names."""
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
def test_limits_are_checked_early(path):
    """If a limit were checked later, this would take hours or all memory."""
    assert {each.code for each in check(path)} <= {
        "too-large",
        "too-deep",
        "endless-recursion",
        "bad-expression",
        "wrong-value",
    }


def test_the_corpus_has_every_error_code_of_specs():
    """Reads the codes from the golden files, which is faster than checking the corpus again."""
    texts = "".join(path.with_suffix(".txt").read_text("utf-8") for path in SPECS)
    errors = {code for code, about in CODES.items() if about.severity == "error"}
    assert {code for code in errors if f"error[{code}]" not in texts} - NOT_OF_SPECS == set()


def test_codes_are_documented_and_raised():
    """Codes are found as literals of the package, and as arguments of functions that report."""
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
    """The literal first arguments of functions that create diagnostics."""
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
