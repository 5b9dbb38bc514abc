"""The items of `layers`: ops and calls of blocks, read into typed steps; `structures` has those that hold layers.

The attributes of an op are read off its class.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import Any

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.foreign_names import op_help
from archspec.frontend.language import fields
from archspec.frontend.language.fields import Attribute, Field
from archspec.frontend.language.identifiers import references, references_of_call, until
from archspec.frontend.language.key_hints import is_empty, several_keys
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.reader import Key, Keys, all_read, describe, spaced
from archspec.frontend.language.spec import Argument, CallStep, OpStep, Step
from archspec.frontend.language.structures import COMMON, CONSTRUCTS, PART, Construct, StepReader, layers, step_fields
from archspec.frontend.language.weight_options import SHARING, WEIGHT_KEYS, check_sharing, weight_options
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.frozen import replace
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of

SHORTHAND = ""
"""The name of an argument without a name: `- block: value`."""


class SpecReader(StepReader):
    """A reader that knows which params and blocks the spec defines; None if unknown.

    `taken` are blocks whose names belong to ops or structures.
    """

    def __init__(self, params: frozenset[str] | None, blocks: frozenset[str] | None, vocabulary: OpRegistry) -> None:
        super().__init__()
        self.params = params
        self.known_params = sorted(params or ())
        self.vocabulary = vocabulary
        self.taken = frozenset(block for block in blocks or () if block in vocabulary.ops or block in CONSTRUCTS)
        self.blocks = blocks if blocks is None else blocks - self.taken

    def has_block(self, name: str) -> bool:
        """Whether there is such a block, or may be."""
        return name.isidentifier() if self.blocks is None else name in self.blocks

    def step(self, tree: Tree) -> Step:
        """Read one item of `layers`.

        Raises:
            ArchspecError: the item cannot be read.
        """
        key, value = _split(self, tree)
        kind = key.text
        if kind in self.taken:
            raise _reported()
        if kind in CONSTRUCTS:
            return _structure(self, key, value, CONSTRUCTS[kind])
        if kind in self.vocabulary.ops:
            return _op(self, key, value, self.vocabulary.ops[kind])
        if "$" in kind or self.has_block(kind):
            return _call(self, key, value)
        blocks = sorted(self.blocks or ())
        return _op(self, key, value, op_of_package(kind, blocks, key.span, self.vocabulary, of_axes=_are_axes(value)))


def _are_axes(value: Tree | None) -> bool:
    """Whether a value is a number or a list of numbers."""
    items = value.items if isinstance(value, YamlList) else (value,)
    return all(isinstance(item, YamlScalar) and isinstance(item.value, int) for item in items)


def _is_number(value: Tree) -> bool:
    return isinstance(value, YamlScalar) and type(value.value) in (int, float)


def weight_keys(op: type[Op]) -> Keys:
    """The keys about weights; none for an op without weights."""
    return WEIGHT_KEYS if op.weights is not Op.weights else {}


def op_of_package(
    kind: str, blocks: Iterable[str], span: Span, vocabulary: OpRegistry, *, of_axes: bool = False
) -> type[Op]:
    """The op of an installed package for an item that is not an op, a structure or a block of the spec.

    `of_axes` is whether its value is a number or a list of numbers, as of a reduction.

    Raises:
        ArchspecError: no package has it.
    """
    help = op_help(kind, [*blocks, *CONSTRUCTS, *vocabulary.ops], of_axes=of_axes)
    unknown = fail("unknown-op", f"there is no op, block or structure '{kind}'", span, help=help)
    try:
        op = vocabulary.discover(kind, span)
    except ArchspecError as error:
        raise ArchspecError((*unknown.diagnostics, *error.diagnostics)) from error
    if op is None:
        raise unknown
    return op


def _split(reader: SpecReader, tree: Tree) -> tuple[YamlScalar, Tree | None]:
    """The first word of an item, and the value under it."""
    if isinstance(tree, YamlScalar) and isinstance(tree.value, str):
        return tree, None
    if isinstance(tree, YamlMapping) and len(tree.entries) == 1:
        key, value = tree.entries[0]
        return key, None if is_empty(value) else value
    if isinstance(tree, YamlMapping) and not tree.complete:
        raise _reported()
    if isinstance(tree, YamlMapping) and tree.entries:
        raise several_keys(tree.entries, {*CONSTRUCTS, *reader.vocabulary.ops, *(reader.blocks or ())})
    message = f"an item of 'layers' is an op, a block or a structure, not {describe(tree)}"
    raise fail("wrong-type", message, tree.span, help="write - relu, or - conv: {channels: ..., kernel: ...}")


def _op(reader: SpecReader, key: YamlScalar, value: Tree | None, op: type[Op]) -> OpStep:
    known = attributes_of(op)
    errors_before = len(reader.diagnostics)
    values: dict[str, Any] = {}
    attributes: dict[str, Field | None] = {}
    if isinstance(value, YamlMapping):
        values = reader.keys(f"'{op.kind}'", value, {**COMMON, **weight_keys(op)}, others=known)
        for scalar, tree in value.entries:
            if scalar.text in known:
                attribute = partial(fields.number, attribute=_attribute(op, scalar.text))
                attributes[scalar.text] = reader.attempt(attribute, tree)
        if not value.complete:
            raise _reported()
    elif value is not None and op.shorthand == "from" and "number" in known and _is_number(value):
        attributes["number"] = fields.number(value, _attribute(op, "number"))
    elif value is not None and op.shorthand == "from":
        values["from"] = references(reader, value)
    elif value is not None and op.shorthand is not None and not spaced(value):
        attributes[op.shorthand] = fields.number(value, _attribute(op, op.shorthand))
    elif value is not None:
        what = "takes named attributes" if known else "takes no attributes"
        message = f"'{op.kind}' {what}, not {describe(value)}"
        raise fail("wrong-type", message, value.span, help=spaced(value) or usage(op))
    options = weight_options(reader, values)
    if len(reader.diagnostics) > errors_before:
        raise _reported()
    missing = [f"'{name}'" for name in known if known[name].required and name not in attributes]
    if missing and options.share is None:
        raise fail("missing-attribute", f"'{op.kind}' needs {' and '.join(missing)}", key.span, help=usage(op))
    readable = {name: value for name, value in attributes.items() if value is not None}
    return OpStep(*step_fields(key, values), op=op, attributes=readable, weight_options=options)


@cache
def _attribute(op: type[Op], name: str) -> Attribute:
    """An attribute as errors name it."""
    known = attributes_of(op)
    others = {word: other for other in known for word in known[other].keywords if other != name}
    return Attribute(name, known[name].keywords, without_value(op, name), others)


def without_value(op: type[Op], name: str) -> str | None:
    """The help for someone who means that an attribute has no value; None if it needs one."""
    info = attributes_of(op)[name]
    if info.phrase == "true or false":
        return "write false"
    return None if info.required else f"leave '{name}' out: it is optional"


def usage(op: type[Op]) -> str:
    """How an op is written with its required attributes."""
    known = attributes_of(op)
    needed = [name for name in known if known[name].required] or list(known)[:1]
    if needed == [op.shorthand]:
        return f"write - {op.kind}: ..., where '{needed[0]}' is {known[needed[0]].phrase}"
    usage = f"- {op.kind}: {{{', '.join(f'{name}: ...' for name in needed)}}}"
    if any(known[name].required for name in needed):
        return f"write {usage}"
    return f"write - {op.kind}, or {usage}" if needed else f"write - {op.kind}"


CALL: Keys = {
    **PART,
    "from": replace(
        COMMON["from"],
        read=references_of_call,
        schema={"anyOf": [
            COMMON["from"].schema,
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/reference"}, "minProperties": 1},
        ]},
    ),
    **SHARING,
    "until": Key(until, "the last layer that is built; the call returns its value", {"$ref": "#/$defs/reference"}),
}  # fmt: skip
"""The keys of a call, beside the arguments of the block."""


def _call(reader: SpecReader, key: YamlScalar, value: Tree | None) -> CallStep:
    errors_before = len(reader.diagnostics)
    values: dict[str, Any] = {}
    arguments: dict[str, Argument] = {}
    if isinstance(value, YamlMapping):
        values = reader.keys(f"'{key.text}'", value, CALL, others=[scalar.text for scalar, _ in value.entries])
        for scalar, tree in value.entries:
            if scalar.text not in CALL and (argument := reader.attempt(fields.value, tree)) is not None:
                arguments[scalar.text] = Argument(scalar.span, argument)
    elif value is not None:
        arguments[SHORTHAND] = Argument(key.span, fields.value(value))
    callee = fields.template(key)
    check_sharing(reader, values)
    if len(reader.diagnostics) > errors_before or (isinstance(value, YamlMapping) and not value.complete):
        raise _reported()
    sources = values.pop("from", None)
    return CallStep(
        *step_fields(key, {**values, "from": sources and tuple(source for _, source in sources)}),
        callee=callee,
        arguments=arguments,
        share=values.get("share"),
        input_names=tuple(name for name, _ in sources or () if name is not None),
        until=values.get("until"),
    )


def _structure(reader: SpecReader, key: YamlScalar, value: Tree | None, construct: Construct) -> Step:
    kind, keys = key.text, construct.keys
    usage = f"write - {kind}: {construct.shortest}"
    if value is None:
        raise fail("missing-key", f"'{kind}' needs layers", key.span, help=usage)
    if isinstance(value, YamlList) and construct.takes_list:
        return construct.read(step_fields(key, {}), {"layers": layers(reader, value)}, key.span)
    if not isinstance(value, YamlMapping):
        message = f"'{kind}' takes layers, not {describe(value)}"
        if isinstance(value, YamlScalar) and (value.text in reader.vocabulary.ops or reader.has_block(value.text)):
            usage = f"write - {kind}: {construct.shortest.replace('...', value.text, 1)}"
        raise fail("wrong-type", message, value.span, help=spaced(value) or usage)
    if construct.misplaced is not None and (error := construct.misplaced(value, keys)):
        raise error
    for scalar, _ in value.entries if "layers" in keys and value.get("layers") is None else ():
        if scalar.text not in keys and (scalar.text in reader.vocabulary.ops or reader.has_block(scalar.text)):
            message = f"'{kind}' has no key '{scalar.text}': its layers go under 'layers'"
            help = f"write - {kind}: {{layers: [{scalar.text}: ...]}}"
            raise fail("unknown-key", message, scalar.span, help=help)
    values = reader.keys(f"'{kind}'", value, keys)
    if not all_read(value, values) or ("layers" not in values and keys["layers"].required):
        raise _reported()
    return construct.read(step_fields(key, values), values, key.span)


def _reported() -> ArchspecError:
    """An error without diagnostics: it ends the reading of an item whose errors were already collected."""
    return ArchspecError([])
