"""The keys of a layer about its weights: sharing, initializers, fixed values and whether they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import did_you_mean, fail
from archspec.frontend.language import fields
from archspec.frontend.language.fields import ConstantField, Field
from archspec.frontend.language.identifiers import reference
from archspec.frontend.language.reader import Key, Keys, Reader, describe
from archspec.frontend.language.spec import DEFAULT_OPTIONS, InitializerSpec, WeightOptions
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar
from archspec.frozen import replace
from archspec.ir.initializers import INITIALIZERS


def initializer(reader: Reader, tree: Tree) -> InitializerSpec:
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


def initializers(reader: Reader, tree: Tree) -> Mapping[str, InitializerSpec]:
    """The initializer of the weight, or of each weight by its name."""
    if isinstance(tree, YamlMapping) and not (len(tree.entries) == 1 and tree.entries[0][0].text in INITIALIZERS):
        named = ((key, reader.attempt(lambda item: initializer(reader, item), item)) for key, item in tree.entries)
        return {key.text: replace(spec, span=key.span) for key, spec in named if spec is not None}
    return {"weight": initializer(reader, tree)}


def condition(reader: Reader, tree: Tree) -> Field:
    """An expression that is true or false."""
    return fields.number(tree)


def values(reader: Reader, tree: Tree) -> Field:
    """Numbers in lists."""
    return fields.number(tree)


SHARING: Keys = {"share": Key(reference, "another layer whose weights it uses", {"$ref": "#/$defs/reference"})}

FREEZING: Keys = {
    "trainable": Key(condition, "whether its weights are trainable", {"$ref": "#/$defs/condition"}),
}

WEIGHT_KEYS: Keys = {
    **SHARING,
    "init": Key(initializers, "the initializer of its weights", {"$ref": "#/$defs/init"}),
    "weight": Key(values, "fixed values of the weight, which is then not trainable", {"$ref": "#/$defs/number"}),
    **FREEZING,
}


def weight_options(reader: Reader, keys: Mapping[str, Any]) -> WeightOptions:
    """The weight options of a layer, from the values of its keys."""
    if keys.keys().isdisjoint(WEIGHT_KEYS):
        return DEFAULT_OPTIONS
    options = WeightOptions(keys.get("share"), keys.get("init", {}), keys.get("weight"))
    check_sharing(reader, keys)
    return options


def check_sharing(reader: Reader, keys: Mapping[str, Any]) -> None:
    """Report an item that shares weights and also says what these are."""
    others = [key for key in WEIGHT_KEYS if key in keys and key != "share"]
    if "share" in keys and others:
        message = f"a layer that shares weights cannot set '{others[0]}'"
        reader.note("wrong-attributes", message, keys["share"].span, help="set it on the layer that owns the weights")
