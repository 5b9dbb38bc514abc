"""What a spec is built with: params and inputs, from the spec and from outside."""

from __future__ import annotations

import numpy as np
import pytest

from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.elaborate.overrides import Settings, settings
from archspec.frontend.expressions.values import INVALID
from archspec.frontend.language.files import read
from tests.frontend.specs import spec


def given(params: str = "", input: str = "[3, 8, 8]", variant: str | None = None, **outside: object) -> Settings:
    head = f"params: {{{params}}}\nvariants: {{small: {{width: 4}}}}"
    found, faults = read(Source("net.yaml", spec("[relu]", head, input=input)))
    assert found is not None, faults
    return settings(found, variant, outside.pop("overrides", None), outside.pop("shape", None))


def refused(*args: str, **outside: object) -> tuple[str, str]:
    with pytest.raises(ArchspecError) as caught:
        given(*args, **outside)
    (found,) = caught.value.diagnostics
    return found.code, found.message


def reported(found: Settings) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in found.diagnostics]


def test_params_may_name_those_above_them():
    assert given("width: 8, twice: 2 * width, kind: basic, list: [width, kind]").params == {
        "width": 8, "twice": 16, "kind": "basic", "list": (8, "basic"),
    }  # fmt: skip


def test_variants_and_overrides_go_before_defaults():
    params = "width: 8, twice: 2 * width"
    assert given(params, variant="small").params == {"width": 4, "twice": 8}
    assert given(params, variant="small", overrides={"width": 3}).params == {"width": 3, "twice": 6}
    assert given(params, overrides={"twice": 5}).params == {"width": 8, "twice": 5}


def test_params_cannot_use_those_below_them():
    found = given("width: 2 * depth, depth: 3, last: width + 1")
    assert reported(found) == [("unknown-name", "'depth' is defined below 'width'")]
    assert found.params == {"width": INVALID, "depth": 3, "last": INVALID}


def test_a_word_that_is_the_name_of_a_param_is_meant_to_be_it():
    assert reported(given("width: depth, depth: 3"))[0][0] == "unknown-name"
    assert given("width: width").params == {"width": "width"}


def test_an_error_in_a_param_leaves_the_others():
    found = given("width: 1 / 0, depth: 3, more: width, other: nope + 1")
    assert [code for code, _ in reported(found)] == ["bad-expression", "unknown-name"]
    assert found.params == {"width": INVALID, "depth": 3, "more": INVALID, "other": INVALID}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3), (2.0, 2), (0.5, 0.5), (True, True), ("text", "text"), (None, None), ([1, [2.0, "a"]], (1, (2, "a"))),
    ((1,), (1,)),
     (np.int64(7), 7), (np.float32(0.5), 0.5)],
)  # fmt: skip
def test_params_from_the_caller(value, expected):
    found = given("width: 8", overrides={"width": value}).params["width"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**63, -(2**70), object(), {"a": 1}, [object()], b"x", 1j, {1, 2}]
)
def test_invalid_params_from_the_caller(value):
    code, message = refused("width: 8", overrides={"width": value})
    assert code == "wrong-value"
    assert message.startswith("the param 'width' cannot be ")


def test_unknown_params():
    assert refused("width: 8", overrides={"widht": 3}) == ("unknown-param", "'net' has no param 'widht'")


def test_input_shapes_are_evaluated():
    assert given("width: 8", "[3, width, 2 * width]").inputs["input"].sizes == (3, 8, 16)
    assert given("width: 8", "width").inputs["input"].sizes == (8,)
    assert given("size: [3, 4]", "size").inputs["input"].sizes == (3, 4)


@pytest.mark.parametrize(
    ("shape", "code"),
    [("[3, 0]", "wrong-value"), ("[3, -1]", "wrong-value"), ("[3, 2.5]", "wrong-value"), ("[3, true]", "wrong-value"),
     ("[3, [4]]", "wrong-value"), ("~", "wrong-value"), ("'1 / 0'", "bad-expression"), ("[nope]", "unknown-name"),
     ("[1_000_000, 1_000_000]", "too-large"), (str([1] * 16), "too-large")],
)  # fmt: skip
def test_invalid_input_shapes(shape, code):
    found = given("", shape)
    assert [each for each, _ in reported(found)] == [code]
    assert found.inputs == {"input": None}


def test_an_input_shape_that_uses_an_invalid_param():
    found = given("width: 1 / 0", "[3, width]")
    assert len(found.diagnostics) == 1
    assert found.inputs == {"input": None}


@pytest.mark.parametrize("shape", [(1, 16, 16), [1, 16, 16], {"input": (1, 16, 16)}, np.array([1, 16, 16])])
def test_a_shape_from_the_caller(shape):
    assert given(shape=shape).inputs["input"].sizes == (1, 16, 16)


def test_a_shape_from_the_caller_replaces_an_invalid_one():
    assert given("", "[3, nope]", shape=(3, 4)).inputs["input"].sizes == (3, 4)


@pytest.mark.parametrize(
    "shape", [(3, 8), (3, 0, 8), (3, -1, 8), (3, 8.5, 8), ("a", 8, 8), "3x8", 5, (2**40, 8, 8), {"image": (3, 8, 8)}]
)
def test_shapes_from_the_caller_that_do_not_fit(shape):
    assert refused(shape=shape)[0] == "wrong-input"


def test_the_shape_of_one_of_several_inputs():
    head = "inputs: {a: [3], b: [3]}"
    found, _ = read(Source("net.yaml", spec("[add]", head, input="")))
    assert found is not None
    assert settings(found, input={"b": [5]}).inputs["b"].sizes == (5,)
    with pytest.raises(ArchspecError, match="several inputs: a, b"):
        settings(found, input=[5])
