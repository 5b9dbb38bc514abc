"""The types of attributes of ops, each with the phrase that error messages use for it."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Phrase:
    """How error messages describe the values of an attribute."""

    text: str


T = TypeVar("T")

LARGEST = 2**40
"""The largest integer an attribute can be; a larger size is an error."""

Count = Annotated[int, Field(ge=1, le=LARGEST), Phrase("a whole number of at least 1")]
Natural = Annotated[int, Field(ge=0, le=LARGEST), Phrase("a whole number of at least 0")]
Whole = Annotated[int, Field(ge=-LARGEST, le=LARGEST), Phrase("a whole number")]
FLOAT_MAX = 3.4028234663852886e38
"""The largest number float32 holds."""

Number = Annotated[float, Field(ge=-FLOAT_MAX, le=FLOAT_MAX, allow_inf_nan=False), Phrase("a number float32 holds")]
Positive = Annotated[float, Field(gt=0, le=FLOAT_MAX, allow_inf_nan=False), Phrase("a number above 0")]
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), Phrase("a number of at least 0 and below 1")]
Momentum = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Phrase("a number from 0 to 1")]
Flag = Annotated[bool, Phrase("true or false")]

PerAxis = Annotated[T | tuple[T, ...], Phrase("or a list of one per axis")]

Axes = Annotated[Whole | tuple[Whole, ...], Phrase("a whole number, or a list of them")]

Padding = Annotated[
    Literal["same", "valid"] | Natural | tuple[Natural | tuple[Natural, Natural], ...],
    Phrase("a number, a list of one per axis, a list of [before, after] per axis, 'same' or 'valid'"),
]

ConvPadding = Annotated[
    Literal["same", "valid", "causal"] | Natural | tuple[Natural | tuple[Natural, Natural], ...],
    Phrase("a number, a list of one per axis, a list of [before, after] per axis, 'same', 'valid' or 'causal'"),
]


@dataclass(frozen=True)
class AttributeInfo:
    """The facts about one attribute of an op that the front end needs."""

    phrase: str
    keywords: frozenset[str]
    required: bool


@cache
def attributes_of(op: type[BaseModel]) -> Mapping[str, AttributeInfo]:
    """The attributes of an op class by name, read from its pydantic fields."""
    return {name: _attribute(field) for name, field in op.model_fields.items()}


def hint_of(field: FieldInfo) -> Any:
    """The annotation of an attribute as it was written."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _attribute(field: FieldInfo) -> AttributeInfo:
    hint = hint_of(field)
    return AttributeInfo(_phrase(hint), frozenset(_keywords(hint)), field.is_required())


def _phrase(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        words = next((extra.text for extra in extras if isinstance(extra, Phrase)), None)
        if words is None:
            return _phrase(inner)
        return f"{_phrase(get_args(inner)[0])}, {words}" if words.startswith("or ") else words
    if get_origin(hint) in (Union, types.UnionType):
        parts = dict.fromkeys(_phrase(arm) for arm in get_args(hint) if arm is not type(None))
        return " or ".join(parts)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(f"'{word}'" for word in get_args(hint))
    if get_origin(hint) is tuple:
        return "a list: each " + _phrase(get_args(hint)[0])
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(hint, str(hint))


def _keywords(hint: Any) -> Iterator[str]:
    """All literal strings in the type of an attribute."""
    if get_origin(hint) is Literal:
        yield from (word for word in get_args(hint) if isinstance(word, str))
    else:
        for part in get_args(hint):
            yield from _keywords(part)
