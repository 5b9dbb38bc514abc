"""Texts with expressions in them: how they are taken apart and filled in, and where they are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.frontend.expressions.ast import ExpressionError
from archspec.frontend.expressions.parser import MAX_LENGTH
from archspec.frontend.expressions.templates import parse

SCOPE = {"i": 3, "s": 0, "kind": "conv", "half": 0.5, "two": 2.0}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"), ("", ""), ("$i", "3"), ("layer$(s + 1)", "layer1"), ("block$i.x", "block3.x"), ("$i$s",
        "30"),
        ("a$(i)b$(s)c", "a3b0c"), ("$kind", "conv"), ("$(kind)_$i", "conv_3"), ("$$", "$"), ("$$i", "$i"), ("$$$i",
        "$3"),
        ("a$$", "a$"), ("$(two)", "2"), ("$two", "2"), ("$(half)", "0.5"), ("$(i * (s + 1))", "3"), ("$((i))", "3"),
        ("$('x$i')", "x3"), ("$('a$(i - 1)' if s == 0 else 'b')", "a2"), ("$('$$i')", "$i"),
        ("$(\"it's $i\")", "it's 3"),
        ("$('(')x", "(x"), ("$(')')x", ")x"), ('$(")")', ")"), ("$('a' if i in [1, 3] else 'b')", "a"), ("é$i", "é3"),
    ],
)  # fmt: skip
def test_holes_are_filled(text, filled):
    assert parse(text).fill(SCOPE) == filled


def test_a_name_in_a_hole_goes_as_far_as_it_can():
    assert parse("$i_x").names == {"i_x"}
    assert parse("$(i)_x").fill(SCOPE) == "3_x"


def test_a_text_without_holes_is_constant():
    assert parse("plain").constant == "plain"
    assert parse("5$$").constant == "5$"
    assert parse("$i").constant is None
    assert parse("").constant == ""


def test_the_names_a_text_reads():
    assert parse("$a$(b + c)$$d").names == {"a", "b", "c"}
    assert parse("$(['p$i$j' for i in range(n)])").names == {"n", "j"}


def test_a_placeholder_alone_can_be_a_list():
    assert parse("$(['p$j' for j in range(i)])").fill_all(SCOPE) == ("p0", "p1", "p2")
    assert parse("$([1, kind])").fill_all(SCOPE) == ("1", "conv")
    assert parse("$i").fill_all(SCOPE) == ("3",)
    assert parse("p").fill_all(SCOPE) == ("p",)
    assert parse("$([])").fill_all(SCOPE) == ()
    for text in ("p$([1])", "$([true])", "$([[1]])", "$(null)"):
        with pytest.raises(ExpressionError, match="cannot be part of a name"):
            parse(text).fill_all(SCOPE)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("a$", "$"), ("$ i", "$"), ("$-", "$"), ("$5", "$"), ("x$(i", "$(i"), ("$(", "$("), ("$('(", "$('("), ("$()",
        ")"),
        ("ab$(i +)", ")"), ("ab$(1 2)c", "2"), ("$i$(nowhere + 1)", "nowhere"), ("$nowhere", "nowhere"),
        ("i$nowhere", "nowhere"),
        ("x$(i > 1)", "$(i > 1)"), ("x$([1])y", "$([1])"), ("x$(null)", "$(null)"), ("$$$$$x", "x"), ("x$x$(x)", "x"),
        ("$(1 if i else 'a$nowhere')", "i"), ("b$('a$nowhere')", "nowhere"), ("b$('a$(1 +)')", ")"), ("b$('a$')", "$"),
    ],
)  # fmt: skip
def test_mistakes_are_marked_where_they_are(text, marked):
    with pytest.raises(ExpressionError) as caught:
        parse(text).fill(SCOPE)
    assert text[caught.value.start : caught.value.stop] == marked
    assert caught.value.stop <= len(text)


def test_the_same_name_twice_is_marked_where_it_is_wrong():
    with pytest.raises(ExpressionError) as caught:
        parse("x $x").fill(SCOPE)
    assert (caught.value.start, caught.value.stop) == (3, 4)


def test_only_a_text_with_holes_has_a_length():
    assert parse("a" * 9_999).constant == "a" * 9_999
    with pytest.raises(ExpressionError, match="characters"):
        parse("a" * MAX_LENGTH + "$i")


@given(st.text(alphabet="ab0$"))
def test_a_doubled_dollar_is_a_dollar(text):
    assert parse(text.replace("$", "$$")).fill({}) == text


@given(st.text(alphabet="ab$()'\"+ 1i", max_size=20))
def test_mistakes_lie_within_the_text(text):
    try:
        assert isinstance(parse(text).fill(SCOPE), str)
    except ExpressionError as error:
        found = error
    else:
        return
    assert 0 <= found.start < found.stop <= len(text) + 1
