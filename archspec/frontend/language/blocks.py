"""Blocks: their keys, and the reader of each."""

from __future__ import annotations

from functools import partial

from archspec.diagnostics import Span, fail
from archspec.frontend.language import fields
from archspec.frontend.language.fields import Field
from archspec.frontend.language.identifiers import PREVIOUS, check_name, name, reference, variable, variable_but
from archspec.frontend.language.reader import Key, Keys, Reader, Schema, all_read, describe
from archspec.frontend.language.spec import Block, Returned
from archspec.frontend.language.steps import CALL, SpecReader
from archspec.frontend.language.structures import CONSTRUCTS, NAMING, layers
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar


def block(reader: Reader, key: YamlScalar, tree: Tree) -> Block | None:
    """The block under the key that names it; None if what is wrong with it is reported."""
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
    inputs, arguments = values.get("inputs", {}), values.get("args", {})
    for both in [input for input in inputs if input in arguments]:
        message = f"'{both}' is both an input and an argument of '{key.text}'"
        reader.note("duplicate-name", message, inputs[both], help="remove one of them, or give it another name")
    return Block(
        key.text,
        key.span,
        arguments,
        values["layers"],
        values.get("naming", False),
        inputs,
        values.get("outputs", ()),
    )


def invalid_block(key: YamlScalar) -> Block | None:
    """What stands for a block that could not be read."""
    return None


def outputs(reader: Reader, tree: Tree) -> tuple[Returned, ...]:
    """The values that a network or a block returns: a mapping from their names, or a list of values."""
    if isinstance(tree, YamlMapping):
        returned = [Returned(name(reader, key), reference(reader, item)) for key, item in tree.entries]
    else:
        items = tree.items if isinstance(tree, YamlList) else (tree,)
        sources = [reference(reader, reader.scalar("an output", item)) for item in items]
        returned = [Returned(source, source) for source in sources]
    if not returned:
        raise fail("wrong-value", "'outputs' names no value", tree.span, help="name one, or remove 'outputs'")
    return tuple(returned)


def _inputs(reader: Reader, tree: Tree) -> dict[str, Span]:
    """The names of a block's inputs, and their positions."""
    if isinstance(tree, YamlMapping):
        message, names = "a block only names its inputs", ", ".join(key.text for key, _ in tree.entries)
        raise fail("wrong-type", message, tree.span, help=f"write inputs: [{names}]")
    inputs: dict[str, Span] = {}
    for item in tree.items if isinstance(tree, YamlList) else (tree,):
        input = variable(reader, item, "the name of an input")
        check_name(input, item.span)
        if input in inputs:
            raise fail("duplicate-name", f"'{input}' is listed twice", item.span, help="remove one of them")
        inputs[input] = item.span
    if not inputs:
        raise fail("wrong-value", "'inputs' names no input", tree.span, help="name one, or remove 'inputs'")
    return inputs


def _arguments(reader: Reader, tree: Tree) -> dict[str, Field | None]:
    if isinstance(tree, YamlScalar):
        message = f"'args' is a list of names or a mapping from names to defaults, not {describe(tree)}"
        raise fail("wrong-type", message, tree.span, help="write args: [width], or args: {width: 64}")
    entries = [(item, None) for item in tree.items] if isinstance(tree, YamlList) else list(tree.entries)
    arguments: dict[str, Field | None] = {}
    for key, item in entries:
        argument = variable(reader, key)
        if argument in CALL:
            message = f"an argument cannot be called '{argument}', which is a key of every call"
            raise fail("name-taken", message, key.span, help="choose another name")
        if argument in arguments:
            raise fail("duplicate-name", f"'{argument}' is listed twice", key.span, help="remove one of them")
        needed = item is None or (isinstance(item, YamlScalar) and item.value is None)
        arguments[argument] = None if needed or item is None else fields.value(item)
    return arguments


def _outputs_of_block(reader: Reader, tree: Tree) -> tuple[Returned, ...]:
    returned = outputs(reader, tree)
    for output in returned:
        constant = output.name.constant
        if constant is not None and "." in constant:
            help = f"give it a name: {{{constant.rpartition('.')[2]}: {constant}}}"
            raise fail("bad-name", f"'{constant}' cannot be the name of an output of a block", output.span, help=help)
    return returned


OUTPUTS: Schema = {
    "anyOf": [
        {"$ref": "#/$defs/references"},
        {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name"},
            "additionalProperties": {"$ref": "#/$defs/reference"},
            "minProperties": 1,
        },
    ]
}

_INPUT = variable_but((PREVIOUS,))

_INPUTS: Schema = {"anyOf": [_INPUT, {"type": "array", "items": _INPUT, "minItems": 1, "uniqueItems": True}]}

_ARGUMENT = variable_but(CALL)

_ARGUMENTS: Schema = {
    "anyOf": [
        {"type": "array", "items": _ARGUMENT, "uniqueItems": True},
        {"type": "object", "propertyNames": _ARGUMENT, "additionalProperties": {"$ref": "#/$defs/value"}},
    ]
}

BLOCK: Keys = {
    "inputs": Key(_inputs, "the names of its inputs, if it has several", _INPUTS),
    "args": Key(_arguments, "its arguments: a list of names, or a mapping from names to defaults (~ for none)",
                _ARGUMENTS),
    **NAMING,
    "layers": Key(layers, "its layers", {"$ref": "#/$defs/layers"}, required=True),
    "outputs": Key(_outputs_of_block, "the values it returns; by default that of its last layer", OUTPUTS),
}  # fmt: skip
"""The keys of a block."""
