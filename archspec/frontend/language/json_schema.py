"""The JSON Schema of specs, for editors, from the keys of the language and the attributes of the ops.

What it rejects, `check` rejects too, wherever the values are used. It cannot tell what follows from values: names that
are not defined, expressions that are wrong, and shapes that do not match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostic_codes import WARNINGS
from archspec.frontend.expressions.parser import RESERVED
from archspec.frontend.language.blocks import BLOCK
from archspec.frontend.language.document import INPUT, SPEC
from archspec.frontend.language.expect import EXPECT, LAYER_FACTS
from archspec.frontend.language.identifiers import NAME, PREVIOUS, REFERENCE, TITLE, VARIABLE
from archspec.frontend.language.imports import LIBRARY
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.reader import Keys, Schema
from archspec.frontend.language.steps import CALL, weight_keys
from archspec.frontend.language.structures import COMMON, CONSTRUCTS
from archspec.ir.initializers import INITIALIZERS
from archspec.ops import Op
from archspec.ops.attribute_schema import attribute_schemas
from archspec.ops.attribute_types import attributes_of
from archspec.ops.documentation import documentation
from archspec.ops.merge import Join


def schema(vocabulary: OpRegistry | None = None) -> dict[str, Any]:
    """The schema of specs and of files of blocks that use these ops, and those of installed packages; draft 2020-12.

    Only a file that defines or imports blocks can have items that are no op and no structure: the names of its blocks
    are its own.
    """
    ops = (vocabulary or OpRegistry()).all_ops
    of_spec = {"anyOf": [{"required": [key]} for key in SPEC if key not in LIBRARY]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archspec",
        "type": "object",
        "if": of_spec,
        "then": _ref("spec"),
        "else": _ref("library"),
        "$defs": {
            "spec": {"description": "A network architecture.", **_object(SPEC), **_OF_SPEC},
            "library": {"description": "A file of blocks, to be imported.", **_object(LIBRARY)},
            "block": _object(BLOCK),
            "block_name": {**_ref("variable"), "not": {"enum": [*ops, *CONSTRUCTS]}},
            "input": {
                "description": "A shape, or a shape and an element type.",
                "anyOf": [_ref("shape"), _object(INPUT)],
            },
            "expect": _object(EXPECT),
            "expected_layer": _object(LAYER_FACTS),
            **_VALUES,
            **_initializers(ops),
            **{f"op_{kind}": _op(op) for kind, op in ops.items()},
            **_steps(ops),
            **_steps_of_ops(ops),
        },
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _object(keys: Keys, more: Mapping[str, object] | None = None, required: list[str] | None = None) -> dict[str, Any]:
    properties = {name: {"description": key.doc, **key.schema} for name, key in keys.items()}
    wanted = [name for name, key in keys.items() if key.required] + (required or [])
    return {
        "type": "object",
        "properties": {**properties, **(more or {})},
        **({"required": wanted} if wanted else {}),
        "additionalProperties": False,
    }


_OF_SPEC = {
    "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
    "allOf": [
        {
            "if": {"not": {"anyOf": [{"required": ["blocks"]}, {"required": ["import"]}]}},
            "then": {"properties": {"layers": _ref("layers_of_ops")}},
        },
        {
            "if": {"not": {"required": ["variants"]}},
            "then": {"properties": {"expect": _ref("expect")}},
        },
    ],
}
"""What the keys of a spec require of one another."""


# --- values ---------------------------------------------------------------------------------------------------------


_EXPRESSION = _ref("expression")


def _one_of(properties: Mapping[str, object], other: object = False) -> dict[str, Any]:
    """A mapping with one key: one of these, or another one if that is allowed."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": other,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _pattern(pattern: str, *others: str) -> dict[str, Any]:
    """Texts that match a pattern from start to end, or another one anywhere."""
    return {"type": "string", "pattern": "|".join([f"^({pattern})$", *others])}


def _one_or_more(name: str, **limits: object) -> dict[str, Any]:
    return {"anyOf": [_ref(name), {"type": "array", "items": _ref(name), "minItems": 1, **limits}]}


_COMPUTED = r"\$"
"""A part of a text that is filled in."""

_NUMERIC_NAME = {"type": ["number", "boolean"], "minimum": 0}
"""Names that YAML reads as a number, or as true or false."""

_VALUES: Mapping[str, Schema] = {
    "expression": {"description": "An expression of params and arguments.", "type": "string", "minLength": 1},
    "number": {
        "description": "A number, a list of them, true or false, or an expression of params and arguments.",
        "anyOf": [{"type": ["number", "boolean"]}, _EXPRESSION, {"type": "array", "items": _ref("number")}],
    },
    "condition": {"description": "True, false, or an expression.", "anyOf": [{"type": "boolean"}, _EXPRESSION]},
    "count": {
        "description": "A whole number, or an expression.",
        "anyOf": [{"type": "integer", "minimum": 0}, _EXPRESSION],
    },
    "value": {
        "description": "A number, a text, true, false, nothing, an expression, or a list of these.",
        "anyOf": [
            {"type": ["number", "boolean", "string", "null"]},
            {"type": "array", "items": _ref("value")},
        ],
    },
    "list": {
        "description": "A list, or an expression.",
        "anyOf": [{"type": "array", "items": _ref("value")}, _EXPRESSION],
    },
    "shape": {
        "description": "Sizes without the batch axis: channels first, such as [3, 224, 224].",
        "anyOf": [_ref("size"), {"type": "array", "items": _ref("size")}],
    },
    "size": {
        "description": "A whole number, or an expression; not 3x224x224.",
        "anyOf": [{"type": "integer", "minimum": 1}, {**_EXPRESSION, "not": {"pattern": "^[0-9]+(x[0-9]+)+$"}}],
    },
    "name": {
        "description": "A name; $name and $(expression) are filled in.",
        "anyOf": [_pattern(NAME, _COMPUTED), _NUMERIC_NAME],
        "not": {"const": PREVIOUS},
    },
    "reference": {
        "description": "The name of a value, dotted inside other parts; $name and $(expression) are filled in.",
        "anyOf": [_pattern(REFERENCE, _COMPUTED), _NUMERIC_NAME],
    },
    "references": {"description": "One name or a list of them.", **_one_or_more("reference")},
    "variable": {
        "description": "A name for use in expressions.",
        **_pattern(VARIABLE),
        "not": {"enum": sorted(RESERVED)},
    },
    "variables": {"description": "One name or a list of them.", **_one_or_more("variable", uniqueItems=True)},
    "title": {
        "description": "The name of a network or a variant.",
        "anyOf": [_pattern(TITLE), {"type": ["number", "boolean"]}],
    },
    "file": {"description": "The name of a file.", "type": ["string", "number", "boolean"]},
    "files": {"description": "One file or a list of them.", **_one_or_more("file")},
    "code": {"description": "The code of a warning.", "enum": list(WARNINGS)},
    "codes": {"description": "One code or a list of them.", **_one_or_more("code", minItems=0)},
}  # fmt: skip


def _initializers(ops: Mapping[str, type[Op]]) -> dict[str, Any]:
    """An initializer, and those of a layer."""
    number = {"anyOf": [{"type": "number"}, _EXPRESSION]}
    with_options = {
        name: _object({}, {
            option: {"enum": list(value)} if isinstance(value, tuple) else number for option, value in options.items()
        })
        for name, options in INITIALIZERS.items()
        if options
    }  # fmt: skip
    return {
        "op_name": {"enum": list(ops)},
        "initializer": {
            "description": "A distribution, or a number for all elements.",
            "anyOf": [{"type": "number"}, {"enum": list(INITIALIZERS)}, _one_of(with_options)],
        },
        "init": {
            "description": "The initializer of the weight, or of each by its name.",
            "anyOf": [
                _ref("initializer"),
                {
                    "type": "object",
                    "propertyNames": {"not": {"enum": list(INITIALIZERS)}},
                    "additionalProperties": _ref("initializer"),
                },
            ],
        },
    }


# --- items of layers ------------------------------------------------------------------------------------------------


def _steps(ops: Mapping[str, type[Op]]) -> dict[str, Any]:
    """The items of `layers` where blocks can be called; the join of a structure."""
    call = {**_object(CALL), "additionalProperties": _ref("value")}
    return {
        **_items(ops, {"type": "string", "not": {"enum": [*ops, *CONSTRUCTS]}}, _ref("call")),
        "call": {
            "description": "The call of a block, with its arguments.",
            "anyOf": [{"type": ["number", "boolean", "string", "array", "null"]}, call],
        },
        "join": _join({kind: op for kind, op in ops.items() if issubclass(op, Join)}),
    }


def _steps_of_ops(ops: Mapping[str, type[Op]]) -> dict[str, Any]:
    """The items of `layers` without blocks. Where a name is computed, it may be that of an op."""
    items = _items(ops, {"type": "string", "pattern": _COMPUTED}, False)
    names = {f"#/$defs/{name}": f"#/$defs/{name}_of_ops" for name in items}
    return {f"{name}_of_ops": _with_refs(item, names) for name, item in items.items()}


def _items(ops: Mapping[str, type[Op]], word: Schema, other: object) -> dict[str, Any]:
    """The items of `layers`: one word, or one key with what belongs to it; `word` and `other` are calls of blocks."""
    known: dict[str, object] = {kind: _ref(f"op_{kind}") for kind in ops}
    known |= {
        keyword: {"anyOf": [
            {**_object(construct.keys), **construct.schema}, *([_ref("layers")] if construct.takes_list else [])
        ]}
        for keyword, construct in CONSTRUCTS.items()
    }  # fmt: skip
    return {
        "layers": {"description": "Layers after one another.", "type": "array", "items": _ref("step")},
        "paths": {
            "description": "Paths, by name or in a list.",
            "anyOf": [
                {"type": "object", "additionalProperties": _ref("layers")},
                {"type": "array", "items": _ref("layers")},
            ],
        },
        "step": {
            "anyOf": [
                {"enum": [kind for kind, op in ops.items() if not _required(op)]},
                word,
                {**_one_of(known, other), "patternProperties": {_COMPUTED: _ref("call")}},
            ]
        },
    }


def _with_refs(part: Any, names: Mapping[str, str]) -> Any:
    """A copy of a schema with other references."""
    if isinstance(part, Mapping):
        return {key: names.get(item, item) if key == "$ref" else _with_refs(item, names) for key, item in part.items()}
    return [_with_refs(item, names) for item in part] if isinstance(part, list) else part


def _op(op: type[Op], keys: Keys = COMMON) -> dict[str, Any]:
    about = documentation(op)
    attributes = {
        name: {"description": about.attributes.get(name, attributes_of(op)[name].phrase), **values}
        for name, values in attribute_schemas(op, _EXPRESSION).items()
    }
    all_keys, required = {**keys, **weight_keys(op)}, _required(op)
    if required and "share" in all_keys:  # the layer that it shares with has them
        either = {"anyOf": [{"required": required}, {"required": ["share"]}]}
        forms = [{**_object(all_keys, attributes), **either}]
    else:
        forms = [_object(all_keys, attributes, required)]
    if op.shorthand == "from" and "from" in keys:
        forms += [_ref("references"), *([{"type": "number"}] if "number" in attributes else [])]
    elif op.shorthand in attributes:
        forms.append(attributes[op.shorthand])
    if not required:
        forms.append({"type": "null"})
    return {"description": about.summary, "anyOf": forms}


def _required(op: type[Op]) -> list[str]:
    return [name for name, attribute in attributes_of(op).items() if attribute.required]


def _join(joins: Mapping[str, type[Op]]) -> dict[str, Any]:
    """The op of a structure that joins paths, which always takes their values."""
    keys = {"name": COMMON["name"]}
    return {
        "anyOf": [
            {"enum": [kind for kind, op in joins.items() if not _required(op)]},
            _one_of({kind: _op(op, keys) for kind, op in joins.items()}),
        ]
    }
