"""YAML with positions: scalars, spans and errors. The wording of messages is tested in `tests/faulty`."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.limits import MAX_ALIASED, MAX_BYTES, MAX_NESTING, MAX_NODES
from archspec.frontend.yaml import tree as yaml_tree
from archspec.frontend.yaml.scalars import resolve, yes_or_no
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar, decode, parse, read_file


def tree(text: str) -> Tree:
    found, faults = parse(Source("spec.yaml", text))
    assert faults == ()
    return found


def codes(text: str) -> list[str]:
    try:
        _, faults = parse(Source("spec.yaml", text))
    except ArchspecError as error:
        faults = error.diagnostics
    return [found.code for found in faults]


# --- what scalars mean ----------------------------------------------------------------------------------------------

# The tables of YAML 1.2.2, section 10.3.2 (the core schema), with `_` between digits, which older YAML has.
SCALARS = {
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "0": 0, "7": 7, "-19": -19, "+3": 3, "0o7": 7, "0o14": 12, "0x3A": 58, "0xff": 255, "1_000_000": 1_000_000,
    "0.": 0.0, "-0.0": -0.0, ".5": 0.5, "+12e03": 12000.0, "-2E+05": -200_000.0, "5e-4": 5e-4, "1e3": 1000.0,
    "1_0.5": 10.5,
}  # fmt: skip

# What YAML 1.1 reads otherwise, and a reader does not; and what is no number in any YAML.
TEXTS = [
    "yes", "no", "on", "off", "Yes", "NO", "On", "y", "n", "nUll", "tRUE", "none", "None",
    "1:30", "190:20:30", "0b1010", "0o8", "0xG", "1__0", "_1", "1_", "1.2.3", "1e", "e5", "+", "-", ".", "..", "1-1",
    ".inf", "-.inf", ".nan", "inf", "nan", "1e999", "2001-01-01", "1,000", "0x", "1 2", "9" * 41,
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_words_that_are_more_than_text(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", TEXTS)
def test_words_that_are_text(text):
    assert resolve(text) == text


def test_a_leading_zero_means_nothing():
    assert (resolve("010"), resolve("-007"), resolve("00")) == (10, -7, 0)


@pytest.mark.parametrize("text", [*SCALARS, *TEXTS])
def test_quoted_words_are_text(text):
    for quote in "'\"":
        (item,) = tree(f"[{quote}{text}{quote}]").items
        assert item.value == text
        assert not item.plain


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_mean_what_python_prints_them_as(number):
    assert resolve(repr(number)) == number
    assert math.copysign(1, resolve(repr(number))) == math.copysign(1, number)


@given(st.integers(-(10**29), 10**29))
def test_whole_numbers_mean_what_python_prints_them_as(number):
    assert resolve(str(number)) == number
    assert resolve(f"{number:_}") == number


@given(st.text(alphabet="0123456789+-._eExXoOaAfFnNtTrRuUlLsS~: ", max_size=12))
def test_a_word_is_resolved_and_never_fails(text):
    value = resolve(text)
    assert isinstance(value, str | int | float | bool | None)
    assert not isinstance(value, float) or math.isfinite(value)


def test_the_help_for_yes_and_no():
    assert yes_or_no("Off") == "'Off' is text in YAML 1.2; write false"
    assert yes_or_no("yes") == "'yes' is text in YAML 1.2; write true"
    assert yes_or_no("n") is None, "that may well be a name"


# --- trees and places -----------------------------------------------------------------------------------------------

TEXT = """\
name: lenet
layers:
  - conv: {channels: 6, kernel: [5, 5]}
  - relu
note: >-
  two
  lines
"""


def places(found: Tree) -> dict[str, tuple[int, int, int, int]]:
    """Each scalar of a tree with where it starts and ends."""
    if isinstance(found, YamlScalar):
        return {found.text: found.span[1:]}
    if isinstance(found, YamlList):
        return {text: span for item in found.items for text, span in places(item).items()}
    return {text: span for pair in found.entries for item in pair for text, span in places(item).items()}


def test_everything_knows_where_it_stands():
    found = places(tree(TEXT))
    assert found["lenet"] == (1, 7, 1, 12)
    assert found["conv"] == (3, 5, 3, 9)
    assert found["6"] == (3, 22, 3, 23)
    assert found["relu"] == (4, 5, 4, 9)
    assert found["two lines"][:2] == (5, 7)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_places_are_the_same_whatever_ends_a_line(end):
    assert places(tree(TEXT.replace("\n", end))) == places(tree(TEXT))


def test_a_mapping_is_asked_by_key():
    found = tree("{a: 1, b: [2]}")
    assert isinstance(found, YamlMapping)
    assert isinstance(found.get("b"), YamlList)
    assert found.get("c") is None
    assert found.complete


def test_a_mapping_with_a_refused_entry_is_not_whole():
    found, faults = parse(Source("x", "{a: 1, 2: b}"))
    assert isinstance(found, YamlMapping)
    assert [key.text for key, _ in found.entries] == ["a"]
    assert not found.complete
    assert [fault.code for fault in faults] == ["non-text-key"]


def test_an_alias_stands_for_what_its_anchor_marks():
    found = tree("[&a {x: 1}, *a, &b word, *b, &a [2], *a]")
    assert isinstance(found, YamlList)
    assert found.items[1] is found.items[0]
    assert found.items[3].text == "word"
    assert isinstance(found.items[5], YamlList), "a repeated anchor names its latest node"


letters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
plain_words = st.text(letters, max_size=10).filter(lambda word: isinstance(resolve(word), str))
data = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | plain_words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_words, inner, max_size=4),
    max_leaves=12,
)


def plain(found: Tree) -> object:
    if isinstance(found, YamlScalar):
        return found.value
    if isinstance(found, YamlList):
        return [plain(item) for item in found.items]
    return {key.text: plain(item) for key, item in found.entries}


@given(data, st.booleans())
def test_a_tree_holds_what_was_dumped(value, flow):
    """PyYAML's dumper is the other end. It leaves some numbers of YAML 1.2 unquoted, so no text looks like one."""
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    found, faults = parse(Source("x", text))
    assert faults == ()
    assert plain(found) == value


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\na: 3", ["duplicate-key"] * 2),
        ("'a': 1\na: 2", ["duplicate-key"]),
        ("1: a\ntrue: b\n~: c\n1.5: d", ["non-text-key"] * 4),
        ("? [a]\n: b", ["non-text-key"]),
        ("{[a]: b, {c: d}: e}", ["non-text-key"] * 2),
        ("no: a\non: b", []),
        ("a: &x {}\nb: {<<: *x}", ["merge-key"]),
        ("b: {'<<': x}", []),
        ("!!str a", ["yaml-tag"]),
        ("a: !x [!y b]", ["yaml-tag"] * 2),
        ("! a", []),
        ("a: *b", ["bad-alias"]),
        ("&a [*a]", ["bad-alias"]),
        ("", ["empty-spec"]),
        ("# nothing", ["empty-spec"]),
        ("---", ["empty-spec"]),
        ("%YAML 1.2\n--- # nothing", ["empty-spec"]),
        ("a\n---\nb", ["several-documents"]),
        ("---\na\n...\n", []),
        ("a\x00", ["bad-character"]),
        ("a: '\ud800'", ["bad-character"]),
        ("\ufeffa", ["bad-character"]),
        ("a: [", ["yaml-syntax"]),
    ],
)
def test_what_is_no_spec(text, expected):
    assert codes(text) == expected


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("text", ["", "a", "ok: é\n", "😀: \r\n# 中"])
def test_bytes_are_utf8_with_or_without_a_mark(mark, text):
    assert decode("x", mark + text.encode()).text == text
    with pytest.raises(ArchspecError) as caught:
        decode("x", mark + text.encode() + b"\xe9")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span) == (
        "not-utf8",
        Source("x", text + "\ufffd").at(len(text))._replace(source=found.span.source),
    )


# The valid cases of DK95, 6BCT and Y79Y of yaml-test-suite, and others by sections 6.1 to 6.3 of YAML 1.2.2.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("foo:\n \tbar\n", {"foo": "bar"}),
        ('foo: "bar\n  \tbaz"\n', {"foo": "bar baz"}),
        ("\t\nfoo: 1\n", {"foo": 1}),
        ("foo: 1\n\t\nbar: 2\n", {"foo": 1, "bar": 2}),
        ("foo: 1\n \t\nbar: 2\n", {"foo": 1, "bar": 2}),
        ('foo: "bar\n \t \t baz \t \t "\n', {"foo": "bar baz \t \t "}),
        ("- foo:\t bar\n- - baz\n  -\tbaz\n", [{"foo": "bar"}, ["baz", "baz"]]),
        ("- [\n\tfoo,\n foo\n ]\n", [["foo", "foo"]]),
        ("a:\n  b: 1\n\t# comment\n  c: 2\n  \t # comment", {"a": {"b": 1, "c": 2}}),
        ("a:\r\n  - b\r\n\t\r\n  -\t# comment\r\n    c\r\n", {"a": ["b", "c"]}),
        ("-\t[a]\n- \t{b: 1}\n", [["a"], {"b": 1}]),
        ("a: |\n\n\t\n  b\n\t\n  \tc\nd: 1\n", {"a": "\n\nb\n\n c\n", "d": 1}),
    ],
)
def test_tabs_that_yaml_allows(text, value):
    assert plain(tree(text)) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("foo:\n  a: 1\n  \tb: 2\n", (3, 3)),
        ("foo:\n\tbar\n", (2, 1)),
        ("-\t-\n", (1, 2)),
        ("a:\n  b: 1\n\t\n\t c: 2\n", (4, 1)),
        ("-\ta: 1\n", (1, 2)),
    ],
)
def test_tabs_that_would_be_indentation(text, place):
    with pytest.raises(ArchspecError) as caught:
        parse(Source("x", text))
    (found,) = caught.value.diagnostics
    assert (found.message, found.span and found.span[1:3]) == ("YAML does not allow a tab here", place)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ArchspecError) as caught:
            read_file(path)
        assert [found.code for found in caught.value.diagnostics] == ["unreadable-file"]


def test_a_file_is_read_no_further_than_a_spec_may_go(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: a terabyte that takes no room
    with pytest.raises(ArchspecError) as caught:
        read_file(path)
    assert [found.code for found in caught.value.diagnostics] == ["too-large"]


# --- limits ---------------------------------------------------------------------------------------------------------


def test_nesting_has_a_limit_that_aliases_do_not_evade():
    deep = "[" * MAX_NESTING + "x" + "]" * MAX_NESTING
    assert codes(deep) == []
    assert codes(f"[{deep}]") == ["too-deep"]
    half = "[" * (MAX_NESTING // 2)
    chain = "\n".join(f"a{i}: &a{i} {half}*a{i - 1}{half.replace('[', ']')}" for i in range(1, 4))
    assert codes(f"a0: &a0 x\n{chain}") == ["too-deep"]


def test_aliases_have_a_limit_however_they_multiply():
    thousand = "a: &a [" + ", ".join("x" * 999) + "]\n"
    assert codes(thousand + "b: [" + ", ".join(["*a"] * (MAX_ALIASED // 1000)) + "]") == []
    assert codes(thousand + "b: [" + ", ".join(["*a"] * (MAX_ALIASED // 1000 + 1)) + "]") == ["too-large"]


def test_words_have_a_limit(monkeypatch):
    monkeypatch.setattr(yaml_tree, "MAX_NODES", 100)
    assert codes("[" + ", ".join("x" * 99) + "]") == []
    assert codes("[" + ", ".join("x" * 100) + "]") == ["too-large"]
    assert MAX_NODES >= 1_000_000, "a hundred thousand layers can be written out"


def test_text_has_a_limit():
    assert codes("a" * (MAX_BYTES + 1)) == ["too-large"]
