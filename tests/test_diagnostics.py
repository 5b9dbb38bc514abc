"""Positions, the renderer, and suggestions. The wording of messages is tested in `tests/faulty`."""

from __future__ import annotations

import json
import pickle
from difflib import get_close_matches

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import ArchspecError, Diagnostic, Edit, Note, Source, Span, did_you_mean, fail, nearest


def span(text: str, line: int, column: int, end_column: int, end_line: int | None = None) -> Span:
    return Span(Source("net.yaml", text), line, column, end_line or line, end_column)


def rendered(text: str, *position: int, notes: tuple[Note, ...] = (), help: str | None = None) -> str:
    return Diagnostic("wrong-value", "wrong", span(text, *position), notes, help).render()


# --- positions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_breaks_are_those_of_yaml(end):
    assert Source("x", f"one{end}two{end}").lines == ("one", "two", "")


def test_other_white_space_ends_no_line():
    assert Source("x", "one\x0btwo\x0cthree\x1c").lines == ("one\x0btwo\x0cthree\x1c",)


@given(st.text(alphabet="ab\n\r\x85é"), st.data())
def test_the_span_at_an_offset_covers_its_character(text, data):
    source = Source("x", text)
    offset = data.draw(st.integers(0, len(text)))
    at = source.at(offset)
    line = source.lines[at.line - 1]
    if offset < len(text) and text[offset] not in "\n\r\x85":
        assert line[at.column - 1] == text[offset]
    assert (at.end_line, at.end_column) == (at.line, at.column + 1)


def test_a_part_of_a_span_stays_inside_it():
    whole = span("kernel: width * 2", 1, 9, 18)
    assert whole.inside(0, 5)[1:] == (1, 9, 1, 14)
    assert whole.inside(8, 9)[1:] == (1, 17, 1, 18)
    assert whole.inside(8, 99)[1:] == (1, 17, 1, 18)
    assert whole.inside(20, 30)[1:] == (1, 18, 1, 19), "one column past the end is allowed, for missing text"


def test_a_span_of_several_lines_has_no_parts():
    whole = span("a\nb", 1, 1, 2, 2)
    assert whole.inside(1, 2) == whole


# --- rendering ------------------------------------------------------------------------------------------------------


def test_a_diagnostic_without_a_position():
    found = Diagnostic("unknown-spec", "there is no spec 'x'", help="did you mean 'y'?")
    assert found.render() == "error[unknown-spec]: there is no spec 'x'\n    help: did you mean 'y'?"


def test_a_diagnostic_with_everything():
    notes = (("layers:", "(N, 128, 28, 28)", "from conv2, line 19"), ("shortcut:", "(N, 64)", "from input"), ("why",))
    assert rendered("a: 1\nb: wrong", 2, 4, 9, notes=notes, help="write right") == (
        "net.yaml:2:4: error[wrong-value]: wrong\n"
        "    2 | b: wrong\n"
        "      |    ^^^^^\n"
        "    layers:    (N, 128, 28, 28)  from conv2, line 19\n"
        "    shortcut:  (N, 64)           from input\n"
        "    why\n"
        "    help: write right"
    )


def test_warnings_are_labelled():
    assert Diagnostic("even-same", "x").render().startswith("warning[even-same]: ")


def test_carets_are_aligned_after_tabs_and_wide_characters():
    assert rendered("\t卷積e\u0301: x", 1, 8, 9).split("\n")[1:] == [
        "    1 |     卷積e\u0301: x",
        "      |            ^",
    ]


def test_carets_are_as_wide_as_the_marked_text():
    assert rendered("卷積: x", 1, 1, 3).split("\n")[2] == "      | ^^^^"
    assert rendered("a\tb", 1, 2, 3).split("\n")[2] == "      |  ^^^^"


def test_carets_of_several_lines_end_with_the_first():
    assert rendered("abc: [1,  \n  2]", 1, 6, 5, 2).split("\n")[1:] == ["    1 | abc: [1,", "      |      ^^^"]


def test_empty_spans_and_spans_past_the_end_have_a_caret():
    assert rendered("abc", 1, 4, 5).split("\n")[2] == "      |    ^"
    assert rendered("abc", 1, 2, 2).split("\n")[2] == "      |  ^"


def test_a_position_past_the_last_line_shows_no_excerpt():
    assert rendered("abc", 9, 1, 2) == "net.yaml:9:1: error[wrong-value]: wrong"


def test_long_lines_are_cut_around_the_position():
    text = "a" * 200 + "HERE" + "b" * 200
    _, excerpt, carets = rendered(text, 1, 201, 205).split("\n")
    assert excerpt == "    1 | ..." + "a" * 50 + "HERE" + "b" * 46 + "..."
    assert excerpt.index("HERE") == carets.index("^^^^")
    assert rendered(text, 1, 1, 5).split("\n")[1] == "    1 | " + "a" * 100 + "..."
    assert rendered(text, 1, 404, 405).split("\n")[1].endswith("b" * 50)


def test_line_numbers_of_any_length_keep_the_bar_straight():
    text = "\n" * 1_234_566 + "x: wrong"
    _, excerpt, carets = rendered(text, 1_234_567, 4, 9).split("\n")
    assert excerpt.index("|") == carets.index("|")
    assert excerpt.index("wrong") == carets.index("^")


def test_control_and_invisible_characters_are_escaped():
    found = Diagnostic(
        "bad-name", "'\x1b[31m\u202ename\n'", span("a: \x1b[31m\x00x", 1, 4, 5), (("\x07:", "\u200b"),), "\t"
    )
    assert found.render() == (
        "net.yaml:1:4: error[bad-name]: '\\x1b[31m\\u202ename\\n'\n"
        "    1 | a: \ufffd[31m\ufffdx\n"
        "      |    ^\n"
        "    \\x07:  \\u200b\n"
        "    help: \\t"
    )


def test_a_file_name_cannot_forge_lines():
    found = Diagnostic("bad-name", "x", Span(Source("a\nb\x1b.yaml", "x"), 1, 1, 1, 2))
    assert found.render().startswith("a\\nb\\x1b.yaml:1:1: error[bad-name]: x\n")


@given(st.text(), st.text(), st.text(), st.integers(1, 5), st.integers(1, 40), st.integers(1, 40))
def test_rendering_never_fails_and_is_printable(name, text, message, line, column, end):
    found = Diagnostic(
        "wrong-value", message, Span(Source(name, text), line, column, line, end), ((message, text),), text
    )
    lines = found.render().split("\n")
    assert all(shown.isprintable() for shown in lines)
    assert len(lines) == 2 + 2 * (line <= len(Source(name, text).lines)) + bool(text)


def test_long_messages_are_cut():
    found = Diagnostic("bad-name", "x" * 10_000, notes=(("y" * 10_000, "z"),), help="z" * 10_000)
    assert len(found.render()) < 1_500
    assert len(json.dumps(found.as_json())) < 1_500


def test_of_many_notes_the_first_and_the_last_are_shown():
    found = Diagnostic("wrong-value", "message", notes=tuple((f"input {i}",) for i in range(100)))
    assert [line.strip() for line in found.render().split("\n")[1:]] == [
        *(f"input {i}" for i in range(9)), "and 88 more", "input 97", "input 98", "input 99",
    ]  # fmt: skip
    assert len(found.as_json()["notes"]) == 13


def test_json_has_the_same_content():
    found = Diagnostic("bad-name", "'\x1b'", span("a: b", 1, 4, 5), (("first", "line 3"),), "help")
    assert json.loads(json.dumps(found.as_json())) == {
        "file": "net.yaml", "line": 1, "column": 4, "end_line": 1, "end_column": 5, "severity": "error",
        "code": "bad-name", "message": "'\x1b'", "notes": ["first  line 3"], "help": "help", "edits": [],
    }  # fmt: skip
    edited = Diagnostic("bad-name", "x", edits=(Edit(span("a: b", 1, 4, 5), "c"),))
    assert edited.as_json()["edits"] == [
        {"file": "net.yaml", "line": 1, "column": 4, "end_line": 1, "end_column": 5, "text": "c"}
    ]
    assert Diagnostic("bad-name", "x").as_json()["file"] is None


# --- the exception --------------------------------------------------------------------------------------------------


def test_the_exception_carries_and_shows_every_diagnostic():
    error = ArchspecError([Diagnostic("bad-name", "one"), Diagnostic("cycle", "two", help="three")])
    assert [found.code for found in error.diagnostics] == ["bad-name", "cycle"]
    assert str(error) == "error[bad-name]: one\nerror[cycle]: two\n    help: three"


def test_the_exception_can_go_to_another_process():
    error = fail("bad-name", "x", span("a: b", 1, 4, 5), notes=[("a", "b")], help="y")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)


# --- suggestions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("widht", ["width", "depth"], "width"),
        ("ReLU", ["relu", "relu6"], "relu"),
        ("RELU", ["relu6", "relu"], "relu"),
        ("xyz", ["relu"], None),
        ("x", [], None),
        ("a" * 1000, ["a" * 1000], None),
    ],
)
def test_the_nearest_name(word, known, found):
    assert nearest(word, known) == found


@given(st.text("abcD1", min_size=1, max_size=9), st.lists(st.text("abcD1", min_size=1, max_size=9), max_size=30))
def test_the_nearest_name_is_that_of_difflib(word, known):
    names = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), names, n=1)
    assert nearest(word, known) == (names[found[0]] if found else None)


def test_what_is_suggested():
    assert did_you_mean("widht", ["width"]) == "did you mean 'width'?"
    assert did_you_mean("x", ["width", "depth"]) == "known here: width, depth"
    assert did_you_mean("x", [f"name{i}" for i in range(17)]) is None, "long lists are not shown"
    assert did_you_mean("x", []) is None
