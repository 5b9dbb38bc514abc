"""Ops created from attributes: the direct checks agree with pydantic, and suffice for all usual values."""

from __future__ import annotations

import pickle
from copy import copy
from functools import cache
from itertools import product
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator

from archspec.ops import OPS, InvalidAttributes, Op, attribute_validation, creation
from archspec.ops.attribute_types import FLOAT_MAX, LARGEST, Bounds, Count, attributes_of
from archspec.ops.conv import Conv
from archspec.ops.merge import Add, Concat, Mul
from tests.op_samples import GOOD, Sample

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.0, 1.0, -0.5, 0.999, 1e-7, LARGEST, LARGEST + 1, -LARGEST, 2**53, 2**53 + 1),
    *(FLOAT_MAX, 2 * FLOAT_MAX, float("inf"), float("nan"), 10**400, "same", "valid", "causal", "channels", "tanh", ""),
    *((), (1,), (1, 2), (True, 1), (1.0, 2), ((0, 1), (2, 3)), ((0, 1), 2), ((0, -1),), ((0, 1, 2),), (0, (1, True))),
    *([1, 2], {1, 2}, {"a": 1}, b"same", ("same",), (None,), 1j),
)
ATTRIBUTES = [(op, name) for op in OPS for name in attributes_of(op)]


class Text(str):
    """A subclass, as the front end passes for text without quotes."""

    __slots__ = ()


def of_pydantic(hint: Any) -> Any:
    """The type of an attribute in pydantic's terms alone."""
    if get_origin(hint) is Annotated:
        finite = {"allow_inf_nan": False} if hint.__origin__ is float else {}
        bounds = [Field(**part.given(), **finite) for part in hint.__metadata__ if isinstance(part, Bounds)]
        return Annotated[(of_pydantic(hint.__origin__), *bounds)] if bounds else of_pydantic(hint.__origin__)
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(of_pydantic(part) for part in get_args(hint))]  # noqa: UP007
    return tuple[tuple(map(of_pydantic, get_args(hint)))] if get_origin(hint) is tuple else hint


@cache
def model(op: type[Op]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (of_pydantic(attribute.hint), ... if attribute.required else attribute.default)
        for name, attribute in attributes_of(op).items()
    }
    return create_model(op.__name__, __config__=ConfigDict(strict=True, extra="forbid"), **fields)


def validated(op: type[Op], attributes: dict[str, Any]) -> str:
    """The attributes that pydantic makes of these as text, which shows the types of values, or its error."""
    try:
        return repr(vars(model(op).model_validate(attributes)))
    except ValidationError as error:
        return str(error)


def created(op: type[Op], attributes: dict[str, Any]) -> str:
    try:
        return repr(creation.create(op, attributes).attributes())
    except InvalidAttributes as error:
        return str(error)


def complete(op: type[Op]) -> dict[str, Any]:
    """Valid attributes of an op."""
    sample = next(sample for sample in GOOD if type(sample.op) is op)
    return sample.op.attributes()


@pytest.mark.parametrize(("op", "name"), ATTRIBUTES, ids=[f"{op.kind}-{name}" for op, name in ATTRIBUTES])
def test_every_value_gives_what_pydantic_gives(op: type[Op], name: str) -> None:
    for value in (*ODD, *(Text(word) for word in ("same", "tanh", "nearest", "other"))):
        attributes = {**complete(op), name: value}
        assert created(op, attributes) == validated(op, attributes), value


@given(
    st.sampled_from(ATTRIBUTES),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.lists(inner, max_size=2),
        max_leaves=6,
    ),
)
def test_drawn_values_give_what_pydantic_gives(attribute: tuple[type[Op], str], value: Any) -> None:
    op, name = attribute
    attributes = {**complete(op), name: value}
    assert created(op, attributes) == validated(op, attributes)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.kind)
def test_missing_and_unknown_attributes_are_left_to_pydantic(op: type[Op]) -> None:
    required = [name for name, attribute in attributes_of(op).items() if attribute.required]
    for left_out, extra in product([*required, None], [{}, {"unknown": 1}]):
        attributes = {name: value for name, value in complete(op).items() if name != left_out} | extra
        assert created(op, attributes) == validated(op, attributes)


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_attributes_of_samples_need_no_validator(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, attributes = type(sample.op), sample.op.attributes()
    monkeypatch.setattr(creation, "_ops", {})
    monkeypatch.setattr(attribute_validation, "validated", lambda *given: pytest.fail(f"{given} were left to pydantic"))
    assert creation.create(kind, attributes) == sample.op
    assert hash(creation.create(kind, attributes)) == hash(sample.op)


class Even(Op):
    """An op as a plugin could define it, with constraints and a validator of pydantic."""

    kind: ClassVar[str] = "even"

    count: Annotated[Count, AfterValidator(lambda count: count // 2 * 2)]
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    words: dict[str, Count] = {}


def test_ops_of_plugins_may_use_pydantic_in_annotations() -> None:
    assert creation.create(Even, {"count": 3}).attributes() == {"count": 2, "share": None, "words": {}}
    assert Even(count=3, words={"a": 1}, share=1) == Even(words={"a": 1}, share=1.0, count=2)
    assert hash(Even(count=3)) == hash(Even(count=2))
    with pytest.raises(InvalidAttributes, match="less than or equal to 1 ") as error:
        Even(count=2, share=1.5, words={"a": 0})
    assert error.value.names == ("share", "words")


def test_uses_of_pydantic_outside_annotations_are_errors() -> None:
    def define(**content: Any) -> None:
        type("Own", (Op,), {"kind": "own", "__annotations__": {"count": int}, **content})

    define()
    validator = field_validator("count")(lambda count: count)
    for content in ({"count": Field(ge=1)}, {"check": validator}, {"model_config": {}}):
        with pytest.raises(TypeError, match=rf"'Own\.{next(iter(content))}' has no effect"):
            define(**content)


def test_ops_are_compared_by_attributes_and_cannot_change() -> None:
    conv, same = (creation.create(Conv, {"channels": 8, "kernel": 3}) for _ in range(2))
    other = conv.with_attributes(bias=False)
    assert conv is same
    assert {conv: 1}[Conv(channels=8, kernel=3, bias=True)] == 1
    assert other == Conv(channels=8, kernel=3, bias=False) != conv
    assert repr(Concat(axis=2)) == "Concat(axis=2)"
    assert pickle.loads(pickle.dumps(other)) == other
    assert Add() == Add() != Add().cropping() == copy(Add().cropping())
    assert Concat().cropping().with_attributes(axis=2).crops
    assert Add() != Mul()
    for change in (lambda: setattr(conv, "bias", False), lambda: delattr(conv, "bias")):
        with pytest.raises(AttributeError, match="'bias' of 'conv' cannot be"):
            change()
    with pytest.raises(InvalidAttributes, match="colour"):
        conv.with_attributes(colour=1)


def test_few_ops_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    relu = next(op for op in OPS if op.kind == "leaky_relu")
    monkeypatch.setattr(creation, "_KEPT", 3)
    for i in range(10):
        creation.create(relu, {"slope": i / 10})
    assert len(creation._ops) <= 3
