"""The keys of a spec, the reader of each, and the typed spec they are read into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from archspec.diagnostic_codes import WARNINGS
from archspec.diagnostics import Source, did_you_mean, fail, nearest, warning_code_help
from archspec.frontend.language import fields
from archspec.frontend.language.blocks import OUTPUTS, outputs
from archspec.frontend.language.common import SHARED, text, unread, without_recursion
from archspec.frontend.language.expansion_limits import layers_at_least
from archspec.frontend.language.expect import EXPECTATIONS, expectations
from archspec.frontend.language.fields import Field, InvalidField
from archspec.frontend.language.identifiers import check_name, title
from archspec.frontend.language.reader import Key, Keys, Reader, Schema, describe, is_complete, named
from archspec.frontend.language.rename import renames
from archspec.frontend.language.spec import Imported, InitializerSpec, Input, Spec, Variant
from archspec.frontend.language.steps import SpecReader
from archspec.frontend.language.structures import layers
from archspec.frontend.language.weight_options import initializers
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.ir.types import DType

# --- values of keys -------------------------------------------------------------------------------------------------


def _sizes(reader: Reader, tree: Tree) -> Field:
    return fields.number(tree)


_VARIANT: Keys = {
    "summary": Key(text("summary"), "one line about the variant", {"type": "string"}),
    "reference": Key(text("reference"), "where the variant was published", {"type": "string"}),
}


_VARIANT_SCHEMA: Schema = {
    "type": ["object", "null"],
    "properties": {name: {"description": key.doc, **key.schema} for name, key in _VARIANT.items()},
    "additionalProperties": {"$ref": "#/$defs/value"},
}


def _variant(reader: Reader, key: YamlScalar, tree: Tree) -> Variant:
    reader.attempt(partial(title, reader, what="the name of a variant"), key)
    entries = () if isinstance(tree, YamlScalar) and tree.value is None else reader.mapping("a variant", tree)
    others = [scalar.text for scalar, _ in entries if scalar.text not in _VARIANT]
    values = reader.keys("a variant", tree, _VARIANT, others=others) if entries else {}
    assert isinstance(reader, SpecReader)
    params: dict[str, Field] = {}
    for scalar, item in entries:
        if reader.has_too_many_errors:
            break
        if reader.params is None or scalar.text in reader.params:
            params[scalar.text] = reader.attempt(fields.value, item) or InvalidField(item.span)
        elif scalar.text not in _VARIANT:
            help = did_you_mean(scalar.text, [*_VARIANT, *reader.known_params])
            reader.note(
                "unknown-param", f"'{key.text}' sets '{scalar.text}', which is not a param", scalar.span, help=help
            )
    return Variant(key.text, key.span, params, values.get("summary"), values.get("reference"))


def _dtype(reader: Reader, tree: Tree) -> DType:
    return DType(reader.choice("'dtype'", tree, list(DType)))


INPUT: Keys = {
    "shape": Key(_sizes, "its sizes without the batch axis", {"$ref": "#/$defs/shape"}, required=True),
    "dtype": Key(_dtype, "its element type", {"enum": list(DType)}),
}
"""The keys of an input that is a mapping."""


_BY_X = re.compile(r"[0-9]+(x[0-9]+)+")


def _input(reader: Reader, key: YamlScalar, tree: Tree) -> Input:
    check_name(key.text, key.span)
    if isinstance(tree, YamlScalar) and _BY_X.fullmatch(tree.text):
        help = f"write {key.text}: [{tree.text.replace('x', ', ')}]"
        raise fail("wrong-type", "the shape of an input is a list of numbers", tree.span, help=help)
    if not isinstance(tree, YamlMapping):
        return Input(key.text, fields.number(tree), DType.FLOAT32)
    values = reader.keys("an input", tree, INPUT)
    return Input(key.text, values.get("shape") or InvalidField(tree.span), values.get("dtype", DType.FLOAT32))


def _only_input(reader: Reader, tree: Tree) -> Input:
    return _input(reader, YamlScalar("input", "input", True, tree.span), tree)


def _invalid_input(key: YamlScalar) -> Input:
    return Input(key.text, InvalidField(key.span), DType.FLOAT32)


def _inputs_by_name(reader: Reader, tree: Tree) -> dict[str, Input]:
    if isinstance(tree, YamlList):
        help = "write the shape of a single input under 'input'; several inputs as {name: [...], ...}"
        raise fail("wrong-type", "'inputs' is a mapping from names to shapes, not a list", tree.span, help=help)
    return named("inputs", _input, _invalid_input)(reader, tree)


def _codes(reader: Reader, tree: Tree) -> frozenset[str]:
    codes: set[str] = set()
    for item in tree.items if isinstance(tree, YamlList) else (tree,):
        scalar = reader.scalar("a code", item)
        if scalar.text not in WARNINGS:
            message = f"'{scalar.text}' is not a warning code"
            raise fail("wrong-value", message, scalar.span, help=warning_code_help(scalar.text))
        codes.add(scalar.text)
    return frozenset(codes)


def _initializers_of_op(reader: Reader, key: YamlScalar, tree: Tree) -> Mapping[str, InitializerSpec]:
    assert isinstance(reader, SpecReader)
    ops = reader.vocabulary.ops
    if key.text not in ops and reader.vocabulary.discover(key.text, key.span) is None:
        raise fail("unknown-op", f"there is no op '{key.text}'", key.span, help=did_you_mean(key.text, ops))
    return initializers(reader, tree)


# --- the keys -------------------------------------------------------------------------------------------------------

SPEC: Keys = {
    "archspec": SHARED["archspec"],
    "name": Key(title, "the name of the network", {"$ref": "#/$defs/title"}, required=True),
    "summary": SHARED["summary"],
    "reference": Key(text("reference"), "where it was published", {"type": "string"}),
    "params": SHARED["params"],
    "variants": Key(named("variants", _variant), "named sets of values for params",
                    {"type": "object", "propertyNames": {"$ref": "#/$defs/title"},
                     "additionalProperties": _VARIANT_SCHEMA}),
    "default": Key(title, "the variant used when none is given", {"$ref": "#/$defs/title"}),
    "input": Key(_only_input,
                 "the shape of the one input, without the batch axis", {"$ref": "#/$defs/input"}),
    "inputs": Key(_inputs_by_name, "the inputs by name",
                  {"type": "object", "propertyNames": {"$ref": "#/$defs/name"}, "minProperties": 1,
                   "additionalProperties": {"$ref": "#/$defs/input"}}),
    "import": SHARED["import"],
    "blocks": SHARED["blocks"],
    "layers": Key(layers, "the network", {"$ref": "#/$defs/layers"}, required=True),
    "outputs": Key(outputs, "the values it returns; by default the last value", OUTPUTS),
    "init": Key(named("init", _initializers_of_op), "initializers of the weights, by op",
                {"type": "object", "propertyNames": {"$ref": "#/$defs/op_name"},
                 "additionalProperties": {"$ref": "#/$defs/init"}}),
    "rename": Key(renames, "weight names of old checkpoints, and their names in this spec, or ~",
                  {"type": "object", "additionalProperties": {"type": ["string", "null"]}}),
    "allow": Key(_codes, "codes of warnings to suppress", {"$ref": "#/$defs/codes"}),
    "expect": Key(unread, "expected results, or expected results per variant", EXPECTATIONS),
}  # fmt: skip
"""The keys of a spec."""


def spec_of(reader: SpecReader, source: Source, tree: Tree, imported: Imported) -> Spec | None:
    """The typed spec of a tree, as far as it can be read; errors are added to the reader's diagnostics.

    It is None if its layers, or what they need, cannot be read.

    Raises:
        ArchspecError: the tree is not a mapping.
    """
    if not isinstance(tree, YamlMapping):
        message = f"a spec is a mapping, not {describe(tree)}"
        raise fail("wrong-type", message, tree.span, help="a spec starts with `archspec: 1`")
    values = reader.keys("a spec", tree, SPEC)
    inputs = _inputs(reader, tree, values)
    if any(key in SPEC and key not in values for key in _FOUNDATIONS if key == "layers" or tree.get(key)):
        return None
    variants: dict[str, Variant] = values.get("variants", {})
    expect, by_variant = expectations(reader, values.get("expect"), variants)
    spec = Spec(
        source=source,
        name=values.get("name", "unnamed"),
        summary=values.get("summary", ""),
        reference=values.get("reference", ""),
        params=values.get("params", {}),
        variants=variants,
        default=_default(reader, tree, values.get("default"), variants),
        inputs=inputs,
        blocks=without_recursion(reader, values.get("blocks", {})),
        imports=imported.libraries,
        imports_complete=imported.complete,
        imported=imported.entries,
        vocabulary=reader.vocabulary,
        layers=values["layers"],
        outputs=values.get("outputs", ()),
        expect=expect,
        expect_variants=by_variant,
        initializers=values.get("init", {}),
        allowed=values.get("allow", frozenset()),
        rename=values.get("rename", ()),
    )
    if error := layers_at_least(spec):
        reader.diagnostics.append(error)
        return None
    return spec


_FOUNDATIONS = ("params", "variants", "blocks", "layers")
"""The keys whose errors prevent a typed spec."""


def _inputs(reader: Reader, tree: Tree, values: Mapping[str, Any]) -> tuple[Input, ...]:
    """The inputs, under either key; one of unknown shape if they are missing or cannot be read."""
    assert isinstance(tree, YamlMapping)
    keys = {key.text: key for key, _ in tree.entries}
    if "input" in keys and "inputs" in keys:
        span = keys["inputs"].span
        reader.note("wrong-value", "a spec has either 'input' or 'inputs'", span, help="remove one of them")
    elif "input" in values:
        return (values["input"],)
    elif values.get("inputs"):
        return tuple(values["inputs"].values())
    elif "inputs" in values:
        reader.note("missing-key", "'inputs' names no input", keys["inputs"].span, help="write input: [3, 224, 224]")
    elif "input" not in keys and "inputs" not in keys and is_complete(tree) and not _misspelt(keys, "input"):
        reader.note("missing-key", "a spec needs 'input'", tree.span, help="input: [channels, height, width]")
    return (Input("input", InvalidField(tree.span), DType.FLOAT32),)


def _misspelt(names: Iterable[str], key: str) -> bool:
    return any(name not in SPEC and nearest(name, (key,)) for name in names)


def _default(reader: Reader, tree: YamlMapping, name: str | None, variants: Mapping[str, Variant]) -> str | None:
    """The default variant, if it exists."""
    entry = tree.get("default")
    if name is None or name in variants or entry is None:
        return name
    help = did_you_mean(name, variants) or ("the spec has no variants" if not variants else None)
    reader.note("unknown-variant", f"there is no variant '{name}'", entry.span, help=help)
    return None
