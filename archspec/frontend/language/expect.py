"""The expected results of a spec: the keys under `expect`, for all variants or for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from archspec.diagnostics import Span, did_you_mean, fail, nearest
from archspec.frontend.language import fields
from archspec.frontend.language.fields import ConstantField, Field
from archspec.frontend.language.reader import Key, Keys, Reader, Schema
from archspec.frontend.language.spec import Argument, Expected, Variant
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar

_SIZES = {"$ref": "#/$defs/number"}


def _number(reader: Reader, tree: Tree) -> Field:
    return fields.number(tree)


def _per_input(reader: Reader, tree: Tree) -> Field | dict[str, Argument]:
    return _by_name(tree.entries) if isinstance(tree, YamlMapping) else fields.number(tree)


def _by_name(entries: Iterable[tuple[YamlScalar, Tree]]) -> dict[str, Argument]:
    return {key.text: Argument(key.span, fields.number(item)) for key, item in entries}


def _source(reader: Reader, tree: Tree) -> str:
    return reader.text("'source'", tree)


_FACTS: Keys = {
    "params": Key(_number, "parameters", _SIZES),
    "trainable_params": Key(_number, "trainable parameters", _SIZES),
    "buffers": Key(_number, "elements of buffers", _SIZES),
    "macs": Key(_number, "multiply-accumulates of one sample", _SIZES),
}

LAYER_FACTS: Keys = {
    "shape": Key(_number, "its output without the batch axis", _SIZES),
    "params": _FACTS["params"],
    "macs": _FACTS["macs"],
    "receptive_field": Key(
        _per_input, "the number of input positions it sees, along all axes or per axis; of several inputs by name",
        {"anyOf": [_SIZES, {"type": "object", "additionalProperties": _SIZES}]},
    ),
}  # fmt: skip
"""The keys of the expected facts of a layer."""


def _fingerprint(reader: Reader, tree: Tree) -> Field:
    text = reader.text("'fingerprint'", tree)
    if not _FINGERPRINT.fullmatch(text):
        help = "copy it from `archspec summary`, or let `archspec check --update-expect` write it"
        raise fail("wrong-value", f"'{text}' is not a fingerprint", tree.span, help=help)
    return ConstantField(tree.span, text)


_FINGERPRINT = re.compile(r"v[0-9]+-[0-9a-f]{12}")


def _layers(reader: Reader, tree: Tree) -> dict[str, tuple[Span, dict[str, Any]]]:
    layers: dict[str, tuple[Span, dict[str, Any]]] = {}
    for key, item in reader.mapping("'layers'", tree):
        facts = reader.attempt(partial(reader.keys, f"'{key.text}'", keys=LAYER_FACTS), item)
        if facts is not None:
            layers[key.text] = (key.span, facts)
    return layers


def _outputs(reader: Reader, tree: Tree) -> dict[str, Argument]:
    return _by_name(reader.mapping("'outputs'", tree))


EXPECT: Keys = {
    "source": Key(_source, "where the numbers come from", {"type": "string"}),
    **_FACTS,
    "output": Key(_number, "the one output's shape without the batch axis", _SIZES),
    "outputs": Key(_outputs, "the outputs' shapes by name", {"type": "object", "additionalProperties": _SIZES}),
    "fingerprint": Key(_fingerprint, "a hash of the structure, shown by `archspec summary`",
                       {"type": "string", "pattern": f"^{_FINGERPRINT.pattern}$"}),
    "layers": Key(_layers, "facts of layers by name",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/expected_layer"}}),
}  # fmt: skip
"""The keys of the expected facts of a network."""


EXPECTATIONS: Schema = {
    "type": "object",
    "if": {"anyOf": [{"required": [key]} for key in EXPECT]},
    "then": {"$ref": "#/$defs/expect"},
    "else": {"additionalProperties": {"$ref": "#/$defs/expect"}},
}
"""The JSON Schema of the expected facts of all variants, or of each by its name."""


def expectations(
    reader: Reader, tree: Tree | None, variants: Mapping[str, Variant]
) -> tuple[Expected | None, dict[str, Expected]]:
    """The expected facts of all variants, or of each by its name."""
    if tree is None:
        return None, {}
    if not isinstance(tree, YamlMapping) or not variants or any(key.text in EXPECT for key, _ in tree.entries):
        return reader.attempt(partial(_expected, reader), tree), {}
    by_variant: dict[str, Expected] = {}
    for key, item in tree.entries:
        if key.text not in variants:
            help = did_you_mean(key.text, EXPECT if nearest(key.text, EXPECT) else variants)
            reader.note("unknown-variant", f"there is no variant '{key.text}'", key.span, help=help)
        elif (expected := reader.attempt(partial(_expected, reader), item)) is not None:
            by_variant[key.text] = expected
    return None, by_variant


def _expected(reader: Reader, tree: Tree) -> Expected:
    values = reader.keys("'expect'", tree, EXPECT)
    facts = {name: values[name] for name in (*_FACTS, "output", "fingerprint") if name in values}
    return Expected(tree.span, facts, values.get("layers", {}), values.get("outputs", {}), values.get("source"))
