"""`--update-expect` writes the facts of a spec, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import zoo
from archspec.diagnostics import Source
from archspec.expect_update import with_facts
from archspec.loading import check_source
from tests.frontend.specs import net
from tests.random_networks.generator import generate
from tests.random_networks.text import text_of
from tests.test_cli import run

HEAD = "archspec: 1\nname: n\ninput: [3, 8, 8]\n"
CONV = "layers:\n  - conv: {channels: 4, kernel: 3}   # 4 * 27 + 4\n"
VARIANTS = 'params: {w: 4}\nvariants: {s: {}, "1": {w: 8}}\n'
OF_VARIANTS = CONV.replace("4,", "w,")
HASH, OTHER = (
    net(f"- conv: {{channels: {width}, kernel: 3}}", input="[3, 8, 8]").facts.fingerprint for width in (4, 8)
)
FACTS = {
    "s": f"params: 112, macs: 3888, output: [4, 6, 6], fingerprint: {HASH}",
    "1": f"params: 224, macs: 7776, output: [8, 6, 6], fingerprint: {OTHER}",
}
"""3 * 3 * 3 * 4 + 4 parameters, 3 * 3 * 3 * 4 * 6 * 6 MACs; twice as many with eight channels."""

WHOLE = f"expect:\n  params: 112\n  macs: 3888\n  output: [4, 6, 6]\n  fingerprint: {HASH}\n"
IN_BRACES = "{archspec: 1, name: n, input: [3, 8, 8], layers: [conv: {channels: 4, kernel: 3}]"

CASES = {
    "no expect": (HEAD + CONV, HEAD + CONV + WHOLE),
    "no line break at the end": (HEAD + CONV.rstrip("\n"), HEAD + CONV + WHOLE),
    "sections, and a comment at the end": (f"{HEAD}\n{CONV}# end\n", f"{HEAD}\n{CONV}# end\n\n{WHOLE}"),
    "wrong facts in lines": (
        HEAD + "expect:\n  params: 3   # wrong\n  layers:\n    conv: {shape: [1], receptive_field: 5}  # both\n\n"
        + CONV,
        HEAD + "expect:\n  params: 112   # wrong\n  layers:\n    conv: {shape: [4, 6, 6], receptive_field: 3}  # both\n"
        f"  fingerprint: {HASH}\n\n" + CONV,
    ),
    "wrong facts in braces": (
        HEAD + CONV + "expect: {macs: 3_888, params: 9 + 9, fingerprint: v1-000000000000 }\n",
        HEAD + CONV + f"expect: {{macs: 3_888, params: 112, fingerprint: {HASH} }}\n",
    ),
    "expressions that hold": (
        HEAD + CONV + "expect: {params: 4 * (27 + 1), macs: 4 * 27 * 6 ** 2}\n",
        HEAD + CONV + f"expect: {{params: 4 * (27 + 1), macs: 4 * 27 * 6 ** 2, fingerprint: {HASH}}}\n",
    ),
    "braces over lines": (
        HEAD + CONV + "expect: {\n  params: 1,\n}\n",
        HEAD + CONV + f"expect: {{\n  params: 112, fingerprint: {HASH},\n}}\n",
    ),
    "empty braces": (HEAD + CONV + "expect: {}\n", HEAD + CONV + f"expect: {{fingerprint: {HASH}}}\n"),
    "a spec in braces": (IN_BRACES + "}", IN_BRACES + f", expect: {{{FACTS['s']}}}}}"),
    "line breaks of Windows": (
        (HEAD + CONV + "expect:\n  params: 1\n").replace("\n", "\r\n"),
        (HEAD + CONV + f"expect:\n  params: 112\n  fingerprint: {HASH}\n").replace("\n", "\r\n"),
    ),
    "variants without expect": (
        HEAD + VARIANTS + OF_VARIANTS,
        HEAD + VARIANTS + OF_VARIANTS + f"expect:\n  s: {{{FACTS['s']}}}\n  \"1\": {{{FACTS['1']}}}\n",
    ),
    "one variant without an entry": (
        HEAD + VARIANTS + "expect:\n  s: {params: w}\n" + OF_VARIANTS,
        HEAD + VARIANTS + f"expect:\n  s: {{params: 112, fingerprint: {HASH}}}\n  \"1\": {{{FACTS['1']}}}\n"
        + OF_VARIANTS,
    ),
    "the same for all variants": (
        HEAD + VARIANTS + CONV + "expect: {params: w, buffers: 0}\n",
        HEAD + VARIANTS + CONV + f"expect: {{params: 112, buffers: 0, fingerprint: {HASH}}}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "updated"), CASES.values(), ids=CASES)
def test_layouts(text: str, updated: str) -> None:
    assert with_facts(Source("n.yaml", text)) == (updated, ())
    assert with_facts(Source("n.yaml", updated)) == (updated, ())
    assert not [each for each in check_source(Source("n.yaml", updated)) if each.severity == "error"]


def test_facts_that_differ_between_variants_are_not_written_for_all() -> None:
    text = HEAD + VARIANTS + OF_VARIANTS + "expect: {params: 112, buffers: 9}\n"
    updated, (error,) = with_facts(Source("n.yaml", text))
    assert updated == text.replace("9}", "0}")
    assert error.message == "some facts differ between the variants, so they are not updated"
    assert error.help == 'write expect: {s: {...}, "1": {...}}'


def test_one_variant_can_be_updated_alone() -> None:
    text = HEAD + VARIANTS + OF_VARIANTS + 'expect: {s: {params: 1}, "1": {params: 2}}\n'
    updated, _ = with_facts(Source("n.yaml", text), "1")
    assert updated == text.replace("2}}", "224, fingerprint: " + OTHER + "}}")


def test_what_stands_elsewhere_is_left_alone() -> None:
    """An alias stands for text that other parts of the spec may use."""
    text = "archspec: 1\nname: n\nparams: {a: &four 4}\ninput: [3, 8, 8]\n"
    text += "layers: [conv: {channels: a, kernel: 3}]\nexpect: {params: *four}\n"
    updated, (error,) = with_facts(Source("n.yaml", text))
    assert updated == text
    assert error.message == "the facts cannot be written here"
    assert error.help == f"write them by hand: n: {{{FACTS['s']}}}"


@given(st.integers(0, 500))
@settings(max_examples=40, deadline=None)
def test_random_networks(seed: int) -> None:
    text = text_of(generate(seed))
    updated, errors = with_facts(Source("n.yaml", text))
    assert updated.startswith(text)
    assert errors == ()
    assert "fingerprint: v1-" in updated
    assert with_facts(Source("n.yaml", updated)) == (updated, ())
    assert not [each for each in check_source(Source("n.yaml", updated)) if each.severity == "error"]


@pytest.mark.parametrize("name", ["resnet", "unet", "lenet", "faster_rcnn", "lectures/padding"])
def test_the_zoo_keeps_its_layout(name: str) -> None:
    path = zoo.folder() / f"{name}.yaml"
    source = Source(str(path), path.read_text("utf-8"), path)
    updated, errors = with_facts(source)
    assert errors == ()
    assert [line for line in source.text.splitlines() if "#" in line] == [
        line for line in updated.splitlines() if "#" in line
    ]
    assert len(updated.splitlines()) >= len(source.text.splitlines())
    assert with_facts(Source(str(path), updated, path)) == (updated, ())


# --- the command line -------------------------------------------------------------------------------------------------


def test_files_are_updated_in_place(tmp_path: Path) -> None:
    file = tmp_path / "n.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + CONV + "expect: {params: 1}\n").replace("\n", "\r\n").encode())
    assert run("check", "n.yaml", "--update-expect", cwd=tmp_path) == ("", "updated n.yaml\n1 spec: no errors\n")
    expected = (HEAD + CONV + f"expect: {{params: 112, fingerprint: {HASH}}}\n").replace("\n", "\r\n").encode()
    assert file.read_bytes() == b"\xef\xbb\xbf" + expected
    assert run("check", ".", "--update-expect", cwd=tmp_path) == ("", "1 spec: no errors\n")
    assert [path.name for path in tmp_path.iterdir()] == ["n.yaml"]


def test_a_spec_with_errors_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "n.yaml"
    file.write_text(text := HEAD + CONV.replace("conv", "convv") + "expect: {params: 1}\n")
    out, _ = run("check", "n.yaml", "--update-expect", cwd=tmp_path, code=1)
    assert out.count("error[unknown-op]") == out.count("error[") == 1
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("lenet5", "'lenet5' is a spec of the zoo, which stays as it is"),
        ("-", "standard input cannot be written"),
        ("n.yaml --input 3x9x9", "--update-expect cannot be combined with other params or inputs"),
    ],
)
def test_what_cannot_be_updated(tmp_path: Path, words: str, message: str) -> None:
    (tmp_path / "n.yaml").write_text(HEAD + CONV)
    out, _ = run("check", *words.split(), "--update-expect", cwd=tmp_path, code=1, given=HEAD + CONV)
    assert message in out
