"""The JSON Schema of the attributes of an op, from their types."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from archspec.ops.attribute_types import attributes_of
from archspec.ops.base import Op

Schema = dict[str, Any]


def attribute_schemas(op: type[Op], expression: Schema) -> dict[str, Schema]:
    """The schema of each attribute by its name; `expression` may stand for the value and for every entry of a list."""
    return {name: _schema(attribute.hint, expression) for name, attribute in attributes_of(op).items()}


_TYPES: Mapping[object, str] = {int: "integer", float: "number", bool: "boolean", str: "string", types.NoneType: "null"}

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _schema(hint: Any, expression: Schema) -> Schema:
    alternatives = list(_alternatives(hint, (), expression))
    return {"anyOf": [*alternatives, expression]} if {} not in alternatives else {}


def _alternatives(hint: Any, metadata: Sequence[Any], expression: Schema) -> Iterator[Schema]:
    """The schemas of the arms of a type; that of an arm that has none is empty, and accepts every value."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        yield from _alternatives(inner, extras, expression)
    elif get_origin(hint) in (Union, types.UnionType):
        for arm in get_args(hint):
            yield from _alternatives(arm, (), expression)
    elif get_origin(hint) is Literal:
        yield {"enum": list(get_args(hint))}
    elif get_origin(hint) is tuple:
        yield _list(get_args(hint), expression)
    else:
        yield {"type": _TYPES[hint], **dict(_bounds(metadata))} if hint in _TYPES else {}


def _list(parts: tuple[Any, ...], expression: Schema) -> Schema:
    if parts[1:] == (Ellipsis,):
        return {"type": "array", "items": _schema(parts[0], expression)}
    sizes = {"minItems": len(parts), "maxItems": len(parts)}
    return {"type": "array", "prefixItems": [_schema(part, expression) for part in parts], **sizes}


def _bounds(metadata: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for extra in metadata:
        yield from _bounds(getattr(extra, "metadata", ()))  # of pydantic's `Field`
        for name, keyword in _BOUNDS.items():
            if (bound := getattr(extra, name, None)) is not None:
                yield keyword, bound
