"""Ops created from attributes: the direct checks agree with pydantic, and suffice for all usual values."""

from __future__ import annotations

from itertools import product
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError, field_validator

from archspec.ops import OPS, Op, creation
from archspec.ops.attribute_types import FLOAT_MAX, LARGEST, Count
from tests.op_samples import GOOD, Sample

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.0, 1.0, -0.5, 0.999, 1e-7, LARGEST, LARGEST + 1, -LARGEST, 2**53, 2**53 + 1),
    *(FLOAT_MAX, 2 * FLOAT_MAX, float("inf"), float("nan"), 10**400, "same", "valid", "causal", "channels", "tanh", ""),
    *((), (1,), (1, 2), (True, 1), (1.0, 2), ((0, 1), (2, 3)), ((0, 1), 2), ((0, -1),), ((0, 1, 2),), (0, (1, True))),
    *([1, 2], {1, 2}, {"a": 1}, b"same", ("same",), (None,), 1j),
)
ATTRIBUTES = [(op, name) for op in OPS for name in op.model_fields]


class Text(str):
    """A subclass, as the front end passes for text without quotes."""

    __slots__ = ()


def validated(op: type[Op], attributes: dict[str, Any]) -> str | None:
    """The op that pydantic makes of attributes as text, which shows the types of values; None if it rejects them."""
    try:
        return repr(op.model_validate(attributes))
    except ValidationError:
        return None


def created(op: type[Op], attributes: dict[str, Any]) -> str | None:
    try:
        return repr(creation.create(op, attributes))
    except ValidationError:
        return None


def complete(op: type[Op]) -> dict[str, Any]:
    """Valid attributes of an op."""
    sample = next(sample for sample in GOOD if type(sample.op) is op)
    return {name: getattr(sample.op, name) for name in op.model_fields}


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
    required = [name for name, field in op.model_fields.items() if field.is_required()]
    for left_out, extra in product([*required, None], [{}, {"unknown": 1}]):
        attributes = {name: value for name, value in complete(op).items() if name != left_out} | extra
        assert created(op, attributes) == validated(op, attributes)


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_attributes_of_samples_need_no_validator(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(sample.op)
    attributes = {name: getattr(sample.op, name) for name in kind.model_fields}
    monkeypatch.setattr(creation, "_ops", {})
    monkeypatch.setattr(kind, "model_validate", lambda attributes: pytest.fail(f"{attributes} were left to pydantic"))
    assert creation.create(kind, attributes) == sample.op
    assert hash(creation.create(kind, attributes)) == hash(sample.op)


class Even(Op):
    """An op as a plugin could define it, with a validator of its own."""

    kind: ClassVar[str] = "even"

    count: Count

    @field_validator("count")
    @classmethod
    def _round(cls, count: int) -> int:
        return count // 2 * 2


def test_ops_of_plugins_are_validated_by_pydantic() -> None:
    assert creation.create(Even, {"count": 3}) == Even.model_construct(count=2)


def test_few_ops_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    relu = next(op for op in OPS if op.kind == "leaky_relu")
    monkeypatch.setattr(creation, "_KEPT", 3)
    for i in range(10):
        creation.create(relu, {"slope": i / 10})
    assert len(creation._ops) <= 3
