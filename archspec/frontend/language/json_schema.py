"""The JSON Schema of specs, for editors, from the keys of the language and the attributes of the ops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.frontend.language.common import BLOCK
from archspec.frontend.language.document import INPUT, SPEC
from archspec.frontend.language.expect import EXPECT, LAYER_FACTS
from archspec.frontend.language.imports import LIBRARY
from archspec.frontend.language.op_registry import OP_KINDS
from archspec.frontend.language.reader import Keys
from archspec.frontend.language.steps import weight_keys
from archspec.frontend.language.structures import COMMON, CONSTRUCTS
from archspec.ir.initializers import INITIALIZERS
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of
from archspec.ops.documentation import documentation

_NUMBER = {"$ref": "#/$defs/number"}
_TEXT = {"$ref": "#/$defs/text"}


def schema() -> dict[str, Any]:
    """The schema of a spec, draft 2020-12. It allows unknown steps, since blocks can have any name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archspec",
        "anyOf": [{"$ref": "#/$defs/spec"}, {"$ref": "#/$defs/library"}],
        "$defs": {
            "spec": {"description": "A network architecture.", **_object(SPEC)},
            "library": {"description": "A file of blocks, to be imported.", **_object(LIBRARY)},
            "number": {
                "description": "A number, a list of them, true or false, or an expression of params and arguments.",
                "anyOf": [{"type": ["number", "string", "boolean"]}, {"type": "array", "items": _NUMBER}],
            },
            "text": {
                "description": "A text; $name and $(expression) are filled in.",
                "type": ["string", "number", "boolean"],
            },
            "names": {
                "description": "A name, or a list of them.",
                "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
            },
            "layers": {"description": "Layers after one another.", "type": "array", "items": {"$ref": "#/$defs/step"}},
            "paths": {
                "description": "Paths, by name or in a list.",
                "anyOf": [
                    {"type": "object", "additionalProperties": {"$ref": "#/$defs/layers"}},
                    {"type": "array", "items": {"$ref": "#/$defs/layers"}},
                ],
            },
            "input": {
                "description": "A shape, or a shape and an element type.",
                "anyOf": [_NUMBER, _object(INPUT)],
            },
            "init": _init(),
            "block": _object(BLOCK),
            "expect": _object(EXPECT),
            "expected_layer": _object(LAYER_FACTS),
            "step": _step(),
        },
    }


def _object(keys: Keys, more: Mapping[str, object] | None = None, required: list[str] | None = None) -> dict[str, Any]:
    properties = {name: {"description": key.doc, **key.schema} for name, key in keys.items()}
    wanted = [name for name, key in keys.items() if key.required] + (required or [])
    return {
        "type": "object",
        "properties": {**properties, **(more or {})},
        **({"required": wanted} if wanted else {}),
        "additionalProperties": False,
    }


def _step() -> dict[str, Any]:
    """An item of `layers`: one word, or one key with what belongs to it; other keys are calls of blocks."""
    ops = {kind: _op(op) for kind, op in OP_KINDS.items()}
    structures = {
        keyword: {"anyOf": [_object(construct.keys), {"$ref": "#/$defs/layers"}]}
        for keyword, construct in CONSTRUCTS.items()
    }
    return {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {**ops, **structures},
                "additionalProperties": {"description": "The call of a block, with its arguments."},
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _op(op: type[Op]) -> dict[str, Any]:
    about = documentation(op)
    attributes = {
        name: {"description": about.attributes.get(name, attribute.phrase), **_NUMBER}
        for name, attribute in attributes_of(op).items()
    }
    required = [name for name, attribute in attributes_of(op).items() if attribute.required]
    mapping = _object({**COMMON, **weight_keys(op)}, attributes, required)
    forms: list[dict[str, Any]] = [mapping]
    if op.shorthand == "from":
        forms.append({"$ref": "#/$defs/names"})
    elif op.shorthand is not None:
        forms.append(_NUMBER)
    if not required:
        forms.append({"type": "null"})
    return {"description": about.summary, "anyOf": forms}


def _init() -> dict[str, Any]:
    named = [
        {
            "type": "object",
            "properties": {
                name: _object({}, {
                    option: {"enum": list(value)} if isinstance(value, tuple) else _NUMBER
                    for option, value in options.items()
                })
            },
            "required": [name],
            "additionalProperties": False,
        }
        for name, options in INITIALIZERS.items()
        if options
    ]  # fmt: skip
    one = {"anyOf": [{"type": "number"}, {"enum": list(INITIALIZERS)}, *named]}
    return {"anyOf": [one, {"type": "object", "additionalProperties": one}]}
