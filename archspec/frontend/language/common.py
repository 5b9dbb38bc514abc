"""The keys that specs and files of blocks share, and the readers of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from archspec.diagnostics import fail
from archspec.frontend.language import fields
from archspec.frontend.language.expansion_limits import endless_recursions
from archspec.frontend.language.fields import Field, InvalidField
from archspec.frontend.language.identifiers import variable
from archspec.frontend.language.reader import Key, Keys, Reader, Schema, all_read, describe, named
from archspec.frontend.language.spec import Block
from archspec.frontend.language.steps import SpecReader
from archspec.frontend.language.structures import COMMON, CONSTRUCTS, NAMING, layers
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar

VERSION = 1
"""The version of the language, which a file names first: `archspec: 1`."""

OF_VARIANTS = ("summary", "reference")
"""The keys variants have beside the names of params, which therefore no param can be called."""


# --- values of keys -------------------------------------------------------------------------------------------------


def _version(reader: Reader, tree: Tree) -> int:
    if not isinstance(tree, YamlScalar) or tree.value != VERSION or isinstance(tree.value, bool):
        message = f"unsupported version of the language: {describe(tree)}"
        raise fail("wrong-version", message, tree.span, help=f"write archspec: {VERSION}")
    return VERSION


def text(what: str) -> Callable[[Reader, Tree], str]:
    """A reader of the text under the key `what`."""
    return lambda reader, tree: reader.text(f"'{what}'", tree)


def _param(reader: Reader, key: YamlScalar, tree: Tree) -> Field:
    variable(reader, key)
    if key.text in OF_VARIANTS:
        message = f"a param cannot be called '{key.text}', which is a key of variants"
        raise fail("name-taken", message, key.span, help="choose another name")
    return fields.value(tree)


def _invalid(key: YamlScalar) -> Field:
    return InvalidField(key.span)


def _block(reader: Reader, key: YamlScalar, tree: Tree) -> Block | None:
    assert isinstance(reader, SpecReader)
    ops = reader.vocabulary.ops
    if key.text in ops or key.text in CONSTRUCTS:
        kind = "an op" if key.text in ops else "a structure"
        reader.note("name-taken", f"'{key.text}' is {kind} of the language", key.span, help="choose another name")
    else:
        reader.attempt(partial(variable, reader, what="the name of a block"), key)
    if not isinstance(tree, YamlMapping):
        help = f"write {key.text}: {{layers: [...]}}"
        raise fail("wrong-type", f"a block is a mapping, not {describe(tree)}", tree.span, help=help)
    values = reader.keys(f"the block '{key.text}'", tree, BLOCK)
    if not all_read(tree, values) or "layers" not in values:
        return None
    return Block(key.text, key.span, values.get("args", {}), values["layers"], values.get("naming", False))


def _invalid_block(key: YamlScalar) -> Block | None:
    return None


def _arguments(reader: Reader, tree: Tree) -> dict[str, Field | None]:
    if isinstance(tree, YamlScalar):
        message = f"'args' is a list of names or a mapping from names to defaults, not {describe(tree)}"
        raise fail("wrong-type", message, tree.span, help="write args: [width], or args: {width: 64}")
    entries = [(item, None) for item in tree.items] if isinstance(tree, YamlList) else list(tree.entries)
    arguments: dict[str, Field | None] = {}
    for key, item in entries:
        name = variable(reader, key)
        if name in COMMON or name == "share":
            message = f"an argument cannot be called '{name}', which is a key of every call"
            raise fail("name-taken", message, key.span, help="choose another name")
        if name in arguments:
            raise fail("duplicate-name", f"'{name}' is listed twice", key.span, help="remove one of them")
        needed = item is None or (isinstance(item, YamlScalar) and item.value is None)
        arguments[name] = None if needed or item is None else fields.value(item)
    return arguments


def _variable_but(taken: Iterable[str]) -> Schema:
    """The JSON Schema of a variable that has none of these names."""
    return {"allOf": [{"$ref": "#/$defs/variable"}, {"not": {"enum": [*taken]}}]}


_ARGUMENT = _variable_but((*COMMON, "share"))

_ARGUMENTS: Schema = {
    "anyOf": [
        {"type": "array", "items": _ARGUMENT, "uniqueItems": True},
        {"type": "object", "propertyNames": _ARGUMENT, "additionalProperties": {"$ref": "#/$defs/value"}},
    ]
}

BLOCK: Keys = {
    "args": Key(_arguments, "its arguments: a list of names, or a mapping from names to defaults (~ for none)",
                _ARGUMENTS),
    **NAMING,
    "layers": Key(layers, "its layers", {"$ref": "#/$defs/layers"}, required=True),
}  # fmt: skip
"""The keys of a block."""


def unread(reader: Reader, tree: Tree) -> Tree:
    """The tree itself, which is read later."""
    return tree


# --- the keys -------------------------------------------------------------------------------------------------------

SHARED: Keys = {
    "archspec": Key(_version, "the version of the language: 1", {"const": VERSION}, required=True),
    "summary": Key(text("summary"), "a one-line description", {"type": "string"}),
    "params": Key(named("params", _param, _invalid),
                  "numbers, strings and lists for use in expressions, with their defaults",
                  {"type": "object", "propertyNames": _variable_but(OF_VARIANTS),
                   "additionalProperties": {"$ref": "#/$defs/value"}}),
    "import": Key(unread, "files whose blocks this file may use, such as blocks/residual.yaml",
                  {"$ref": "#/$defs/files"}),
    "blocks": Key(named("blocks", _block, _invalid_block), "reusable groups of layers, by name",
                  {"type": "object", "propertyNames": {"$ref": "#/$defs/block_name"},
                   "additionalProperties": {"$ref": "#/$defs/block"}}),
}  # fmt: skip
"""The keys that specs and files of blocks share."""


def names_under(tree: Tree, key: str) -> frozenset[str] | None:
    """The names of the params or blocks of a file; None if unknown."""
    under = tree.get(key) if isinstance(tree, YamlMapping) else None
    if isinstance(under, YamlMapping) and under.complete:
        return frozenset(name.text for name, _ in under.entries)
    return frozenset() if under is None else None


def without_recursion(reader: Reader, blocks: Mapping[str, Block | None]) -> Mapping[str, Block | None]:
    """The blocks, with None for those that call themselves endlessly, which is reported."""
    endless: dict[str, None] = {}
    for names, error in endless_recursions(blocks):
        reader.diagnostics.append(error)
        endless |= dict.fromkeys(names)
    return {**blocks, **endless}
