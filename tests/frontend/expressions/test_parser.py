"""Expressions: their values, the positions of errors, and limits."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archspec.frontend.expressions.ast import ExpressionError, InputValue, UnknownName
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.expressions.parser import MAX_DEPTH, MAX_LENGTH, RESERVED, parse
from archspec.frontend.expressions.values import INVALID, MAX_INTEGER, MAX_LIST, MAX_LIST_DEPTH, Bare, Data, Invalid
from archspec.frontend.expressions.work import shared_work

SCOPE = {"width": 8, "half": 0.5, "flag": True, "sizes": (1, 2, 3), "kind": "basic", "none": None}
FLOW = {"in": InputValue(((64, 28, 14),))}


def worth(text: str, **names: object) -> Data:
    return parse(text).evaluate({**SCOPE, **names})


def wrong(text: str, **names: object) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        worth(text, **names)
    return caught.value


def part(text: str, **names: object) -> str:
    """The part of an expression that is marked as wrong."""
    error = wrong(text, **names)
    return text[error.start : error.stop]


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("1_000", 1000), ("010", 10), ("2.5", 2.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        ("true", True), ("false", False), ("True", True), ("null", None), ("'a b'", "a b"), ('"it\'s"', "it's"),
        ("''", ""),
        ("[]", ()), ("[1, 'a', [true]]", (1, "a", (True,))), ("[1,]", (1,)),
        ("width", 8), ("kind", "basic"), ("none", None), ("  width\n", 8),
    ],
)  # fmt: skip
def test_what_stands_for_itself(text, value):
    assert worth(text) == value
    assert type(worth(text)) is type(value)


# Each pair groups differently if precedence or direction is wrong; the groups are Python's.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("2 * 3 ** 2", 18), ("-2 ** 2", -4), ("(-2) ** 2", 4),
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512), ("7 - 3 - 2", 2), ("64 / 4 / 2", 8.0), ("7 // 2 * 2", 6), ("7 % 4 + 1", 4),
        ("-7 // 2", -4),
        ("-7 % 3", 2), ("--3", 3), ("-+-3", 3), ("- - -3", -3), ("not not true", True), ("not not not true", False),
        ("1 + 1 == 2", True), ("1 < 2 < 3", True), ("1 < 3 < 2", False), ("3 > 2 > 1 != 0", True), ("1 == 1.0", True),
        ("true or false and false", True), ("(true or false) and false", False), ("not false or true", True),
        ("not (false or true)", False), ("not 1 == 2", True),
        ("1 if true else 2", 1), ("1 if false else 2 if false else 3", 3), ("(1 if true else 2) + 1", 2),
        ("1 + 1 if false else 3", 3), ("[1, 2][0]", 1), ("[1, 2][-1]", 2), ("[[1, 2], [3]][0][1]", 2),
        ("[1, 2, 3][1:]", (2, 3)), ("[1, 2, 3][:2]", (1, 2)), ("[1, 2, 3][1:2]", (2,)), ("[1, 2, 3][:]", (1, 2, 3)),
        ("[1, 2, 3][-2:]", (2, 3)), ("[1, 2, 3][5:]", ()), ("sizes[0:2][1]", 2), ("[1] + [2]", (1, 2)),
        ("[1, 2] * 2", (1, 2, 1, 2)), ("2 * [1]", (1, 1)), ("[1] * 0", ()), ("[1] * -3", ()), ("[] * 10 ** 15", ()),
        ("2 in sizes", True), ("2 not in sizes", False), ("4 not in sizes", True), ("not 4 in sizes", True),
        ("'a' in ['a']", True), ("'basic' == kind", True), ("kind != 'basic'", False), ("none == null", True),
        ("[1, 2] == [1, 2]", True), ("'1' == 1", False), ("true == 1", False), ("true in [1]", False),
        ("[true] == [1]", False),
    ],
)  # fmt: skip
def test_operators_group_as_in_python(text, value):
    assert worth(text) == value
    assert type(worth(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(3, 1, 2)", 1), ("min([3, 1])", 1), ("max(1, 2.5)", 2.5), ("sum([1, 2, 3])", 6), ("sum([])", 0),
        ("len([])", 0),
        ("len(sizes)", 3), ("abs(-3)", 3), ("round(2.5)", 3), ("round(-2.5)", -2), ("round(0.49999999999999994)", 0),
        ("floor(-1.5)", -2), ("ceil(1.2)", 2), ("sqrt(16)", 4.0), ("log2(8)", 3.0), ("range(3)", (0, 1, 2)),
        ("range(1, 4)", (1, 2, 3)), ("range(4, 0, -2)", (4, 2)), ("range(2.0)", (0, 1)), ("range(0)", ()),
        ("range(5, 1)", ()),
        # MobileNetV2's rounding of channels (Sandler et al. 2018): nearest multiple of 8, at least 90 % of the value
        ("divisible(33, 8)", 32), ("divisible(36, 8)", 40), ("divisible(1.4 * 32, 8)", 48), ("divisible(11, 8)", 16),
        ("divisible(3, 8)", 8), ("divisible(3, 8, 16)", 16), ("min(len(sizes), 2) + max([1])", 3),
    ],
)  # fmt: skip
def test_functions(text, value):
    assert worth(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[6 - i for i in range(3)]", (6, 5, 4)), ("[i for i in sizes if i != 2]", (1, 3)), ("[a for a in []]", ()),
        ("[a * b for a, b in [[1, 2], [3, 4]]]", (2, 12)), ("sum(row[1] for row in [[1, 2], [3, 4]])", 6),
        ("[[j for j in range(i)] for i in sizes]", ((0,), (0, 1), (0, 1, 2))), ("[width for i in range(2)]", (8, 8)),
        ("[width for width in sizes] + [width]", (1, 2, 3, 8)), ("max(i if i < 3 else 0 for i in sizes)", 2),
        ("[i in [1] for i in sizes if i in [1, 2] or i > 2]", (True, False, False)), ("len([i for i in sizes][1:])", 2),
    ],
)  # fmt: skip
def test_comprehensions(text, value):
    assert worth(text) == value


@given(st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), max_size=4), st.integers(-9, 9))
def test_comprehensions_are_pythons(rows, bound):
    for text in ("[a + b for a, b in rows if a > bound]", "[row[0] for row in rows]", "[[b, bound] for a, b in rows]"):
        expected = eval(text, {"rows": rows, "bound": bound})
        assert worth(text, rows=tuple(map(tuple, rows)), bound=bound) == tuple(
            tuple(each) if isinstance(each, list) else each for each in expected
        )


def test_texts_are_joined_with_texts_and_numbers():
    assert worth("'enc' + width") == "enc8"
    assert worth("kind + '_' + 2 * half") == "basic_1"
    assert worth("1 + 2 + kind") == "3basic"
    assert "true" in wrong("kind + true").message
    assert "characters" in wrong("big + big", big="a" * 300).message


def test_a_word_that_resembles_a_name_is_not_joined():
    from archspec.diagnostics import Source, Span

    span = Span(Source("x", ""), 1, 1, 1, 5)
    assert worth("word + 1", word=Bare.at("basic_block", span, ["width"])) == "basic_block1"
    assert wrong("word + 1", word=Bare.at("widht", span, ["width"])).message == "expected a number, got 'widht'"


def test_every_function_says_how_it_is_used():
    for name, function in FUNCTIONS.items():
        usage = (function.__doc__ or "").split(":")[0]
        assert usage.startswith(f"{name}("), "the first line of the docstring is the entry in the reference"


def test_what_flows_in():
    assert parse("in.channels").evaluate(FLOW) == 64
    assert parse("in.shape").evaluate(FLOW) == (64, 28, 14)
    assert parse("in.spatial[0] // 2").evaluate(FLOW) == 14
    assert parse("in . channels in [64]").evaluate(FLOW) is True
    assert parse("1 in in.shape").evaluate(FLOW) is False


def test_several_values_flowing_in_must_agree():
    both = {"in": InputValue(((64, 28, 14), (32, 28, 14)))}
    assert parse("in.spatial").evaluate(both) == (28, 14)
    with pytest.raises(ExpressionError, match="2 inputs differ in channels: 64 and 32"):
        parse("in.channels").evaluate(both)


def test_what_flows_in_may_have_no_such_axis():
    nothing = {"in": InputValue(((),))}
    assert parse("in.shape").evaluate(nothing) == ()
    with pytest.raises(ExpressionError, match="only the batch axis"):
        parse("in.channels").evaluate(nothing)


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("in.channels", [0]),
        ("in.spatial", [1, 2]),
        ("in.shape", [0, 1, 2]),
        ("max(in.spatial)", [1, 2]),
        ("in.shape[0] + in.spatial[-1]", [0, 2]),
        ("in.spatial[:1]", [1, 2]),
        ("len(in.spatial) + len(in.shape)", []),
        ("[n for n in in.spatial]", [1, 2]),
        ("true or in.channels > 3", []),
    ],
)
def test_the_sizes_an_expression_reads(text, axes):
    read: set[int] = set()
    parse(text).evaluate({"in": InputValue(((64, 28, 14),), lambda _, axes: read.update(axes))})
    assert sorted(read) == axes


def test_the_names_an_expression_reads():
    assert parse("a + b[c] * max(d, 1) if e else in.shape[0]").names == {"a", "b", "c", "d", "e", "in"}
    assert parse("1 + 2").names == frozenset()
    assert parse("[a + b[c] for a, b in d if a > e] + [a]").names == {"a", "c", "d", "e"}
    assert parse("sum(a for a in a)").names == {"a"}


def test_a_part_that_does_not_count_is_not_looked_at():
    assert worth("1 if true else nowhere") == 1
    assert worth("false and nowhere") is False
    assert worth("true or nowhere") is True
    assert worth("1 < 0 < nowhere") is False


def test_a_name_that_stands_for_what_a_mistake_left_unknown():
    with pytest.raises(Invalid):
        worth("1 + lost", lost=INVALID)
    assert worth("1 if true else lost", lost=INVALID) == 1


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("1 + widht * 2", "widht"), ("maxx(1)", "maxx"), ("in.chanels + 1", "in.chanels"), ("1 + in", "in"),
        ("width.shape", "width.shape"), ("1 + true", "true"), ("'a' * 2", "'a'"), ("-kind", "kind"), ("not width",
        "width"),
        ("1 if width else 2", "width"), ("width and flag", "width"), ("flag and width", "width"), ("1 < flag",
        "1 < flag"),
        ("'a' < 'b'", "'a' < 'b'"), ("1 in width", "width"), ("width[0]", "width"), ("sizes[0.5]", "0.5"),
        ("sizes[3]", "3"),
        ("sizes[-4]", "-4"), ("sizes[half:]", "half"), ("sizes + 1", "sizes + 1"), ("sizes * half", "sizes * half"),
        ("1 / (2 - 2)", "2 - 2"), ("0 ** -1", "-1"), ("(-8) ** 0.5", "-8) ** 0.5"), ("max('a', 1)", "max('a', 1)"),
        ("1 + sqrt(-1)", "sqrt(-1)"), ("2 + [len(1)][0]", "len(1)"), ("in.channels", "in.channels"),
        ("1 +", ""), ("(1", ""), ("1 2", "2"), ("1 $ 2", "$"), ("'a", "'"), ("", ""), ("   ", " "), ("[1, 2", ""),
        ("max(1", ""),
        ("1 = 2", "="), ("1 if true", ""), ("else", "else"), ("a b", "b"), ("1 not 2", "not"), ("a.b", "a."),
        ("1..2", ".2"),
        ("[i for i in width]", "width"), ("[a for a, b in sizes]", "sizes"),
        ("[i for i in sizes for j in sizes]", "for"),
        ("[i for in sizes]", "in"), ("[i for i, i in sizes]", "i"), ("(i for i in sizes)", "for"),
        ("[1, i for i in sizes]", "for"), ("[i for i in sizes if i]", "i"), ("[i for i in sizes", ""),
        ("[i for i in sizes] + [i]", "i"), ("[for i in sizes]", "for"),
    ],
)  # fmt: skip
def test_mistakes_are_marked_where_they_are(text, marked):
    error = wrong(text)
    assert text[error.start : error.stop].strip() == marked.strip()
    assert error.start < error.stop


def test_unknown_names_are_told_from_other_mistakes():
    assert isinstance(wrong("widht"), UnknownName)
    assert wrong("widht").help == "did you mean 'width'?"
    assert not isinstance(wrong("1 +"), UnknownName)


def test_a_word_that_was_passed_on_is_traced_to_where_it_stands():
    from archspec.diagnostics import Source, Span

    word = Bare.at("widht", Span(Source("x", ""), 12, 1, 12, 6), ["width"])
    assert wrong("2 * channels", channels=word).help is word
    assert worth("channels == 'widht'", channels=word) is True


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("1 && 2", "write and"), ("1 || 2", "write or"), ("!true", "write not"), ("1 = 1", "write =="), ("2 ^ 3",
        "write **"),
        ("true ? 1 : 2", "write a if condition else b"), ("2x", "write multiplication as *"),
        ("in.chanels", "did you mean 'in.channels'?"), ("flor(1)", "did you mean 'floor'?"),
        ("len(1)", "usage: len(list)"), ("1 if width else 2", "compare it with a value"),
    ],
)  # fmt: skip
def test_what_other_languages_say_is_translated(text, help):
    assert wrong(text).help == help


# --- bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9", "10 ** 400", "2.0 ** 1e6", "1e308 * 10", "1e308 + 1e308", "9223372036854775808", "1e999",
        "2 ** 63",
        "-(2 ** 62) * 2", "(2 ** 62) * 2", "[1] * 10001", "[1] * 10 ** 30", "[[1] * 5001] * 2", "range(10 ** 9)",
        "range(-1, -10 ** 9, -1)",
        "range(0, 2 ** 62)", "[[1] * 100] * 100 + [1]", "sum([2 ** 62, 2 ** 62])", "round(1e300)",
        "divisible(1e300, 8)",
        "[" * (MAX_LIST_DEPTH + 1) + "1" + "]" * (MAX_LIST_DEPTH + 1),
    ],
)  # fmt: skip
def test_values_stay_in_bounds(text):
    assert wrong(text).message


def test_bounds_are_where_they_are_said_to_be():
    assert worth("2 ** 62 + (2 ** 62 - 1)") == MAX_INTEGER - 1
    assert worth("9223372036854775807") == MAX_INTEGER - 1
    assert len(worth(f"[1] * {MAX_LIST}")) == MAX_LIST
    assert len(worth(f"range({MAX_LIST})")) == MAX_LIST
    assert worth("[" * MAX_LIST_DEPTH + "1" + "]" * MAX_LIST_DEPTH)


def test_all_expressions_of_a_check_share_a_bound():
    heavy = "[sum(range(9999)) for i in range(99)]"
    with shared_work():
        texts = [heavy if len(worth(heavy)) == 99 else "" for _ in range(2)]
        assert any("entries" in str(outcome(text, {})) for text in texts * 3)
        assert "entries" in wrong("range(9999)").message
        assert worth("1 + 2") == 3
    assert len(worth(heavy)) == 99


@pytest.mark.parametrize(
    "text",
    [
        "[[j for j in range(9999)] for i in range(9999)]", "[i in big for i in big]", "[big == big for i in big]",
        "[big[1:] == 1 for i in big]", "[sum(big) for i in big]", "[len([1] * 9999) for i in big]",
    ],
)  # fmt: skip
def test_comprehensions_stay_in_bounds(text):
    assert re.search("entries", wrong(text, big=tuple(range(9999))).message)


def test_expressions_have_a_length_and_a_depth():
    longest = "1" + " + 1" * ((MAX_LENGTH - 1) // 4)
    assert worth(longest) == 1 + (MAX_LENGTH - 1) // 4
    assert "characters" in wrong(longest + " " * 9).message
    assert worth("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1)) == 1
    assert "deep" in wrong("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH).message
    assert "deep" in wrong("[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH).message
    assert "deep" in wrong("2 ** " * 40 + "1").message
    assert "deep" in wrong("1 if true else " * 30 + "2").message
    assert worth("-" * 400 + "1") == 1
    assert worth("not " * 100 + "true") is True


words = st.lists(
    st.sampled_from(["[", "]", "(", ")", "for", "in", "if", "else", "a", "b", "sizes", ",", "sum", "1", "+", "'x'"]),
    max_size=16,
).map(" ".join)


@given(words | st.text(alphabet="0123456789.+-*/%<>=!()[],:'\" abinortf_e", max_size=40))
def test_mistakes_lie_within_the_text(text):
    found = outcome(text, SCOPE)
    if isinstance(found, ExpressionError):
        assert 0 <= found.start < found.stop <= len(text) + 1
    else:
        assert within_bounds(found)


def outcome(text: str, scope: dict[str, object]) -> Data | ExpressionError:
    """The value of an expression, or its error."""
    try:
        return parse(text).evaluate(scope)
    except ExpressionError as error:
        return error


def within_bounds(value: Data) -> bool:
    if isinstance(value, tuple):
        return len(value) <= MAX_LIST and all(map(within_bounds, value))
    return not isinstance(value, int | float) or (abs(value) < MAX_INTEGER and math.isfinite(value))


# --- Python agrees --------------------------------------------------------------------------------------------------

numbers = st.one_of(
    st.integers(0, 12).map(str),
    st.floats(0, 8, width=16).map(repr).filter(lambda text: "e" not in text),
    st.sampled_from(["a", "b"]),
)


def both(operators: list[str], left: st.SearchStrategy[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{} {} {}".format, left, st.sampled_from(operators), right)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Larger arithmetic: with and without brackets, so that precedence counts."""
    truths = both(["<", "<=", ">", ">=", "==", "!="], inner, inner)
    conditions = st.one_of(
        truths,
        truths.map("not {}".format),
        both(["and", "or"], truths, truths),
        st.builds("{} < {} <= {}".format, inner, inner, inner),
        st.builds("{} in [{}, {}]".format, inner, inner, inner),
        st.builds("{} not in [{}]".format, inner, inner),
    )
    return st.one_of(
        both(["+", "-", "*", "/", "//", "%", "**"], inner, inner),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("+{}".format),
        st.builds("({} if {} else {})".format, inner, conditions, inner),
        st.builds("[{}, {}][{}]".format, inner, inner, st.sampled_from(["0", "1", "-1", "-2"])),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("abs({})".format, inner),
        st.builds(
            "len([{}, {}, {}][{}:{}])".format, inner, inner, inner, st.sampled_from("012"), st.sampled_from("123")
        ),
        st.builds("sum([{}, {}] * 2 + [{}])".format, inner, inner, inner),
    )


@given(st.recursive(numbers, grown, max_leaves=12), st.integers(-9, 9), st.floats(-4, 4, width=16))
def test_arithmetic_is_pythons(text, a, b):
    """Where both have a value they agree to the last bit; where Python has none, or one out of bounds, nor have we."""
    assume(len(text) <= MAX_LENGTH)
    assume("**" not in text or text.count("**") < 3)
    try:
        expected = eval(text, {"__builtins__": {"max": max, "abs": abs, "len": len, "sum": sum}, "a": a, "b": b})
    except (ZeroDivisionError, OverflowError):
        expected = None
    found = outcome(text, {"a": a, "b": b})
    if isinstance(expected, complex) or expected is None or not within_bounds(expected):
        assert isinstance(found, ExpressionError)
    elif isinstance(found, ExpressionError):
        assert re.search("large|deep|real", found.message), "what lies between is out of bounds, or no real number"
    else:
        assert found == expected
        assert type(found) is type(expected)


def test_reserved_words_can_name_nothing():
    for word in RESERVED:
        try:
            found = parse(word)
        except ExpressionError:
            continue
        assert found.names == frozenset(), word
