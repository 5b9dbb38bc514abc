"""The keys that specs and files of blocks share, and the readers of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archspec.diagnostics import fail
from archspec.frontend.language import fields
from archspec.frontend.language.blocks import block, invalid_block
from archspec.frontend.language.expansion_limits import endless_recursions
from archspec.frontend.language.fields import Field, InvalidField
from archspec.frontend.language.identifiers import variable, variable_but
from archspec.frontend.language.reader import Key, Keys, Reader, describe, named
from archspec.frontend.language.spec import Block
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar

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


def unread(reader: Reader, tree: Tree) -> Tree:
    """The tree itself, which is read later."""
    return tree


# --- the keys -------------------------------------------------------------------------------------------------------

SHARED: Keys = {
    "archspec": Key(_version, "the version of the language: 1", {"const": VERSION}, required=True),
    "summary": Key(text("summary"), "a one-line description", {"type": "string"}),
    "params": Key(named("params", _param, _invalid),
                  "numbers, strings and lists for use in expressions, with their defaults",
                  {"type": "object", "propertyNames": variable_but(OF_VARIANTS),
                   "additionalProperties": {"$ref": "#/$defs/value"}}),
    "import": Key(unread, "files whose blocks or networks this file may use, such as blocks/residual.yaml",
                  {"$ref": "#/$defs/files"}),
    "blocks": Key(named("blocks", block, invalid_block), "reusable groups of layers, by name",
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
