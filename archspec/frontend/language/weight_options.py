"""What a layer says about its weights: whose they are, how they start, what they are, and whether they learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.diagnostics import did_you_mean, fail
from archspec.frontend.language import fields
from archspec.frontend.language.fields import ConstantField, Field
from archspec.frontend.language.identifiers import reference
from archspec.frontend.language.reader import Key, Keys, Reader, describe
from archspec.frontend.language.spec import DEFAULT_OPTIONS, InitializerSpec, WeightOptions
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar
from archspec.ir.initializers import INITIALIZERS


def start(reader: Reader, tree: Tree) -> InitializerSpec:
    """A distribution by its name, `{name: {option: value}}`, or a number for all elements."""
    if isinstance(tree, YamlScalar) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
        return InitializerSpec(tree.span, "constant", {"value": fields.number(tree)})
    if isinstance(tree, YamlMapping) and len(tree.entries) == 1:
        key, options = tree.entries[0]
    else:
        key, options = reader.scalar("an initializer", tree), None
    known = INITIALIZERS.get(key.text)
    if known is None:
        help = did_you_mean(key.text, INITIALIZERS)
        raise fail("unknown-initializer", f"there is no initializer '{key.text}'", key.span, help=help)
    values: dict[str, Field] = {}
    for option, item in reader.mapping(f"'{key.text}'", options) if options else ():
        if option.text not in known:
            reader.unknown_key(f"'{key.text}'", option, known)
        elif isinstance(allowed := known[option.text], tuple):
            values[option.text] = ConstantField(item.span, reader.choice(f"'{option.text}'", item, allowed))
        elif isinstance(item, YamlScalar) and item.value is not None and not isinstance(item.value, bool):
            values[option.text] = fields.number(item)
        else:
            raise fail("wrong-type", f"'{option.text}' is a number, not {describe(item)}", item.span)
    return InitializerSpec(key.span, key.text, values)


def starts(reader: Reader, tree: Tree) -> Mapping[str, InitializerSpec]:
    """How the weight starts, or how each weight starts by its name."""
    if isinstance(tree, YamlMapping) and not (len(tree.entries) == 1 and tree.entries[0][0].text in INITIALIZERS):
        named = ((key, reader.attempt(lambda item: start(reader, item), item)) for key, item in tree.entries)
        return {key.text: replace(found, span=key.span) for key, found in named if found is not None}
    return {"weight": start(reader, tree)}


def condition(reader: Reader, tree: Tree) -> Field:
    """An expression that is true or false."""
    return fields.number(tree)


def values(reader: Reader, tree: Tree) -> Field:
    """Numbers in lists."""
    return fields.number(tree)


SHARING: Keys = {"share": Key(reference, "another layer whose weights it uses", {"$ref": "#/$defs/text"})}

WEIGHT_KEYS: Keys = {
    **SHARING,
    "init": Key(starts, "the initializer of its weights", {"$ref": "#/$defs/init"}),
    "weight": Key(values, "fixed values of the weight, which is then not trainable", {"$ref": "#/$defs/number"}),
    "trainable": Key(condition, "whether its weights are trainable", {"type": ["string", "boolean"]}),
}


def weight_options(reader: Reader, found: Mapping[str, Any]) -> WeightOptions:
    """What the keys found of a layer say about its weights."""
    if found.keys().isdisjoint(WEIGHT_KEYS):
        return DEFAULT_OPTIONS
    options = WeightOptions(found.get("share"), found.get("init", {}), found.get("weight"), found.get("trainable"))
    others = [key for key in WEIGHT_KEYS if key in found and key != "share"]
    if options.share is not None and others:
        message = f"a layer that shares weights cannot set '{others[0]}'"
        reader.note("wrong-attributes", message, options.share.span, help="set it on the layer that owns the weights")
    return options
