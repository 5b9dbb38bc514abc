"""Fields of values: constants, expressions, names, texts and lists, each with its position."""

from __future__ import annotations

import pytest

from archspec.diagnostics import ArchspecError, Diagnostic, Source
from archspec.frontend.expressions.ast import InputValue
from archspec.frontend.expressions.values import INVALID, Bare, Invalid
from archspec.frontend.language import fields
from archspec.frontend.language.fields import (
    Attribute,
    ConstantField,
    ExpressionField,
    Field,
    InvalidField,
    ListField,
    NameOrTextField,
    TemplateField,
)
from archspec.frontend.yaml.tree import YamlList, YamlScalar
from archspec.frontend.yaml.tree import parse as parse_yaml

SCOPE = {"width": 8, "sizes": (1, 2), "kind": "relu"}


def tree(text: str):
    found, faults = parse_yaml(Source("x.yaml", f"- {text}\n"))
    assert not faults
    assert isinstance(found, YamlList)
    return found.items[0]


def number(text: str, *keywords: str) -> Field:
    return fields.number(tree(text), Attribute("mode", frozenset(keywords)))


def value(text: str) -> Field:
    return fields.value(tree(text))


def fault(read: Field) -> Diagnostic:
    with pytest.raises(ArchspecError) as caught:
        read.evaluate(SCOPE)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("3", 3, ConstantField), ("3.0", 3, ConstantField), ("0.5", 0.5, ConstantField), ("-0.0", 0, ConstantField),
        ("true", True, ConstantField),
        ("~", None, ConstantField), ("[1, [2.0, 3]]", (1, (2, 3)), ConstantField), ("[]", (), ConstantField), ("same",
        "same", ConstantField),
        ("width", 8, ExpressionField), ("width / 4", 2, ExpressionField), ("'2 ** 3'", 8, ExpressionField),
        ("[width, 1]", (8, 1), ListField),
        ("'[width / 2, 0.5]'", (4, 0.5), ExpressionField), ("$kind", "relu", TemplateField),
        ("$(width + 1)px", "9px", TemplateField),
    ],
)  # fmt: skip
def test_where_a_number_is_expected(text, expected, kind):
    read = number(text, "same")
    assert isinstance(read, kind)
    assert read.evaluate(SCOPE) == expected
    assert type(read.evaluate(SCOPE)) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("3", 3, ConstantField), ("width", 8, NameOrTextField), ("basic", "basic", NameOrTextField),
        ("width + 1", 9, ExpressionField),
        ("[basic, width]", ("basic", 8), ListField),
        ("in", "in", NameOrTextField), ("$kind", "relu", TemplateField), ("'7'", 7, ExpressionField),
        ("[[a, 1]]", (("a", 1),), ListField),
    ],
)  # fmt: skip
def test_where_anything_is_expected(text, expected, kind):
    read = value(text)
    assert isinstance(read, kind)
    assert read.evaluate(SCOPE) == expected


def test_a_word_that_names_nothing_remembers_where_it_stands():
    word = value("widht").evaluate(SCOPE)
    assert isinstance(word, Bare)
    assert word == "widht"
    assert str(word.span) == "x.yaml:1:3"
    assert word.help == "did you mean 'width'?"
    assert word.help_from(word.span.source) == "see line 1: did you mean 'width'?"
    assert word.help_from(Source("other.yaml", "")) == "see line 1 of x.yaml: did you mean 'width'?"


def test_a_word_for_true_or_false_in_older_yaml():
    word = value("off").evaluate(SCOPE)
    assert isinstance(word, Bare)
    assert word.help == "'off' is text in YAML 1.2; write false"


def test_the_names_values_read():
    assert number("a + b[in.channels]").names == {"a", "b", "in"}
    assert value("[x, [y + 1], $z, 3]").names == {"x", "y", "z"}
    assert number("3").names == frozenset()


def test_what_flows_in_is_no_word():
    scope = {**SCOPE, "in": InputValue(((3, 8, 8),))}
    assert number("in.channels * 2").evaluate(scope) == 6
    assert value("in").evaluate(scope) == "in"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("2 * widht", "widht"), ("'2 * widht'", "widht"), ('"2 * widht"', "widht"), ("a$(widht)b", "widht"),
        ("'a$widht'", "widht"),
        ("width$widht", "widht"), ("[1, widht + 1]", "widht"), ('"2 * \\u0077idht"', '"2 * \\u0077idht"'),
    ],
)  # fmt: skip
def test_mistakes_are_marked_inside_the_text(text, marked):
    span = fault(number(text)).span
    assert span is not None
    assert f"- {text}"[span.column - 1 : span.end_column - 1] == marked


def test_a_text_of_several_lines_is_marked_from_its_start():
    found = fields.number(parse_yaml(Source("x", "- >-\n  2 *\n  widht\n"))[0].items[0])
    span = fault(found).span
    assert span is not None
    assert (span.line, span.column) == (1, 3)


def test_keywords_are_suggested_with_names():
    assert fault(number("bilinar", "nearest", "bilinear")).help == "did you mean 'bilinear'?"
    assert fault(number("cubic", "nearest")).help == "known here: kind, nearest, sizes, width"
    assert fault(number("no", "nearest")).help == "'no' is text in YAML 1.2; write false"


def test_the_mistakes_of_all_entries_of_a_list():
    with pytest.raises(ArchspecError) as caught:
        number("[a, 1, [b], width]").evaluate(SCOPE)
    assert [found.message for found in caught.value.diagnostics] == [f"unknown name '{name}'" for name in "ab"]


def test_a_list_of_lists_stays_in_bounds():
    assert fault(number("[wide, wide]")).code == "unknown-name"
    scope = {"wide": (1,) * 6_000}
    with pytest.raises(ArchspecError, match="at most 10,000"):
        number("[wide, wide]").evaluate(scope)


def test_what_a_mistake_left_unknown():
    for read in (number("lost + 1"), value("lost"), value("[1, lost]"), number("$lost")):
        with pytest.raises(Invalid):
            read.evaluate({"lost": INVALID})
    with pytest.raises(Invalid):
        InvalidField(tree("x").span).evaluate({})


@pytest.mark.parametrize("text", ["{a: 1}", "[{a: 1}]", "1 +", "[1, (]", "$(", "'1:30'", ".inf"])
def test_what_is_no_value(text):
    with pytest.raises(ArchspecError):
        number(text)


def test_a_scalar_keeps_its_text():
    found = fields.template(tree("layer$i"))
    assert isinstance(found.scalar, YamlScalar)
    assert found.constant is None
    assert fields.template(tree("layer")).constant == "layer"
    assert found.fill({"i": 2}) == "layer2"
