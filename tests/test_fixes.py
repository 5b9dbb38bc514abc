"""`check --fix` corrects what the help of errors says, and makes nothing worse."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.diagnostics import ArchspecError, Source
from archspec.fixes import corrected
from archspec.frontend.language.structures import COMMON, CONSTRUCTS
from archspec.frontend.yaml.tree import decode
from archspec.loading import check_source
from archspec.ops import OPS
from archspec.ops.attribute_types import attributes_of
from tests.random_networks.generator import generate
from tests.random_networks.text import text_of
from tests.test_cli import run

HEAD = "archspec: 1\nname: n\ninput: [3, 8, 8]\nparams: {kind: basic, width: 3, sizes: [1, 3]}\nlayers:\n"

CASES = {
    "a misspelt key": ("- conv: {chanels: 4, kernel: 3}", "- conv: {channels: 4, kernel: 3}"),
    "a misspelt op, and then its key": ("- linaer: {feature: 4}   # x", "- linear: {features: 4}   # x"),
    "foreign names": ("- Conv2d: {filters: 4, kernel_size: 3}", "- conv: {channels: 4, kernel: 3}"),
    "a foreign function": ("- conv: {channels: int(width), kernel: 3}", "- conv: {channels: floor(width), kernel: 3}"),
    "a misspelt name": ("- linear: 2 * widht", "- linear: 2 * width"),
    "a misspelt word": ("- upsample: {scale: 2, mode: bilinaer}", "- upsample: {scale: 2, mode: bilinear}"),
    "a misspelt word in quotes": ("- \"linaer\": 4", "- linear: 4"),
    "yes and no": ("- conv: {channels: 4, kernel: 3, bias: no}", "- conv: {channels: 4, kernel: 3, bias: false}"),
    "no space in braces": ("- conv: {channels:4, kernel: 3}", "- conv: {channels: 4, kernel: 3}"),
    "no space on a line": ("- conv:\n      channels:4\n      kernel: 3", "- conv:\n      channels: 4\n      kernel: 3"),
    "no space after an op": ("- max_pool:2", "- max_pool: 2"),
    "an expression with commas": (
        "- conv: {channels: max(width, 8), kernel: 3}", '- conv: {channels: "max(width, 8)", kernel: 3}'
    ),
    "an expression with brackets": (
        "- conv: {channels: 4, kernel: sizes[-1]}", '- conv: {channels: 4, kernel: "sizes[-1]"}'
    ),
    "a text without quotes": ("- relu: {when: kind == basic}", "- relu: {when: kind == 'basic'}"),
    "several lines": ("- cnov: {channels: 4, kernl: 3}\n  - rleu", "- conv: {channels: 4, kernel: 3}\n  - relu"),
}  # fmt: skip

KEPT = {
    "another word like it": "- upsample: {scale: 2, mode: nearest-exact}",
    "an op that does not do quite the same": "- squeeze",
    "a layer that is not there": "- relu: {name: first}\n  - relu: {from: frist}",
    "a name in a text with escapes": '- conv: {channels: "4 \\u002a widht", kernel: 3}',
    "a wrong shape": "- conv: {channels: 4, kernel: 33}",
    "what has no correction": "- xyzzy",
}


def fixed(text: str) -> str:
    return corrected(Source("n.yaml", text), check_source)


def errors(text: str) -> Counter[tuple[str, str]]:
    found = check_source(Source("n.yaml", text))
    return Counter((each.code, each.message) for each in found if each.severity == "error")


@pytest.mark.parametrize(("wrong", "right"), CASES.values(), ids=CASES)
def test_it_corrects(wrong: str, right: str) -> None:
    assert errors(f"{HEAD}  {wrong}\n")
    assert fixed(f"{HEAD}  {wrong}\n") == f"{HEAD}  {right}\n"
    assert not errors(f"{HEAD}  {right}\n")


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_not_safe_is_left_alone(text: str) -> None:
    assert fixed(f"{HEAD}  {text}\n") == f"{HEAD}  {text}\n"


def test_an_expectation_is_never_corrected() -> None:
    text = HEAD + "  - relu\nexpect: {output: [3, 8, 9]}\n"
    assert fixed(text) == text


WORDS = frozenset({*COMMON, *CONSTRUCTS, *(op.kind for op in OPS), *(name for op in OPS for name in attributes_of(op))})


@given(st.integers(0, 500), st.randoms(use_true_random=False), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_misspelt_words_of_random_networks(seed: int, random: Random, count: int) -> None:
    """Whatever is misspelt, there are no new errors after it, other lines stay, and a second time changes nothing."""
    lines = text_of(generate(seed)).splitlines()
    for number in random.sample(range(len(lines)), min(count, len(lines))):
        words = [word for word in WORDS if f"{word}:" in lines[number] and len(word) > 3]
        if words:
            word = random.choice(sorted(words))
            at = random.randrange(len(word) - 1)
            other = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            lines[number] = lines[number].replace(f"{word}:", f"{other}:", 1)
    text = "\n".join(lines) + "\n"
    after = fixed(text)
    assert len(after.splitlines()) == len(lines)
    assert sum(errors(after).values()) <= sum(errors(text).values()) or "unknown-op" in {
        code for code, _ in errors(text)
    }
    assert fixed(after) == after


CORPUS = sorted((Path(__file__).parent / "faulty").glob("*.yaml"))


@pytest.mark.parametrize("first", range(0, len(CORPUS), 40))
def test_the_corpus_of_faulty_specs(first: int) -> None:
    """Comments stay, and what is corrected stays as it is."""
    for path in CORPUS[first : first + 40]:
        if path.stem.startswith("limits_"):
            continue
        try:
            source = decode(path.name, path.read_bytes(), path)
        except ArchspecError:
            continue
        after = corrected(source, check_source)
        assert after.count("#") == source.text.count("#")
        if after != source.text:
            again = Source(path.name, after, path)
            assert corrected(again, check_source) == after, path


# --- the command line -------------------------------------------------------------------------------------------------


WRONG = b"archspec: 1\r\nname: n\r\ninput: [3]\r\nlayers:\r\n  - linaer: 4   # x\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "n.yaml").write_bytes(WRONG)
    return tmp_path


def test_a_file_is_corrected(folder: Path) -> None:
    assert run("check", "n.yaml", "--fix", cwd=folder) == ("", "updated n.yaml\n1 spec: no errors\n")
    assert (folder / "n.yaml").read_bytes() == WRONG.replace(b"linaer", b"linear")


def test_a_difference_is_shown_and_nothing_written(folder: Path) -> None:
    out, _ = run("check", "n.yaml", "--diff", cwd=folder, code=1)
    assert out.startswith("--- n.yaml\n+++ n.yaml\n@@ ")
    assert "\n-  - linaer: 4   # x\n+  - linear: 4   # x\n" in out
    assert "error[unknown-op]" in out
    assert (folder / "n.yaml").read_bytes() == WRONG


def test_json_has_the_edits(folder: Path) -> None:
    found = json.loads(run("check", "n.yaml", "--format", "json", cwd=folder, code=1)[0])
    (edit,) = (edit for each in found for edit in each["edits"])
    assert edit == {"file": "n.yaml", "line": 5, "column": 5, "end_line": 5, "end_column": 11, "text": "linear"}


def test_standard_input_is_not_corrected() -> None:
    assert "standard input cannot be written" in run("check", "-", "--fix", given=HEAD + "  - linaer: 4\n", code=1)[0]
