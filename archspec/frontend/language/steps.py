"""The items of `layers`: ops, blocks and the structures that hold layers, read into typed steps.

Every key is declared once, with its meaning and its JSON Schema; the attributes of ops are read off their classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.foreign_names import op_help
from archspec.frontend.language import fields
from archspec.frontend.language.fields import Field, TemplateField
from archspec.frontend.language.identifiers import name, references, variable, variables
from archspec.frontend.language.key_hints import bare_paths, is_empty, several_keys
from archspec.frontend.language.op_registry import OP_KINDS, OpRegistry
from archspec.frontend.language.reader import Key, Keys, Reader, complete, describe, spaced
from archspec.frontend.language.spec import (
    DEFAULT_OPTIONS,
    Body,
    BrokenStep,
    CallStep,
    Given,
    Iterations,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Step,
)
from archspec.frontend.language.weight_options import SHARING, WEIGHT_KEYS, condition, weight_options
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.ops import OPS, Op
from archspec.ops.attribute_types import attributes_of
from archspec.ops.merge import Join

SHORTHAND = ""
"""The name an argument goes by that was given without one: `- block: value`."""


class SpecReader(Reader):
    """A reader that knows which params and blocks the spec defines; None if unknown.

    `taken` are blocks with a name they cannot have.
    """

    def __init__(self, params: frozenset[str] | None, blocks: frozenset[str] | None, vocabulary: OpRegistry) -> None:
        super().__init__()
        self.params = params
        self.vocabulary = vocabulary
        self.taken = frozenset(block for block in blocks or () if block in vocabulary.ops or block in STRUCTURES)
        self.blocks = blocks if blocks is None else blocks - self.taken

    def has_block(self, name: str) -> bool:
        """Whether there is such a block, or may be."""
        return name.isidentifier() if self.blocks is None else name in self.blocks


# --- what stands under the keys -------------------------------------------------------------------------------------


def _naming(reader: Reader, tree: Tree) -> bool:
    return reader.choice("'naming'", tree, ("op", "index")) == "index"


def _align(reader: Reader, tree: Tree) -> bool:
    return reader.choice("'align'", tree, ("none", "center_crop")) == "center_crop"


def _training_only(reader: Reader, tree: Tree) -> bool:
    return reader.flag("'training_only'", tree)


def _times(reader: Reader, tree: Tree) -> Field:
    return fields.number(tree)


def _over(reader: Reader, tree: Tree) -> Field:
    return fields.number(tree)


def layers(reader: Reader, tree: Tree, what: str = "'layers'") -> Body:
    """A list of items, which a message calls `what`; those that cannot be read stand there as broken."""
    assert isinstance(reader, SpecReader)
    return tuple(
        reader.attempt(lambda item: step(reader, item), item) or _broken(reader, item)
        for item in reader.list(what, tree)
    )


def _broken(reader: SpecReader, tree: Tree) -> BrokenStep:
    """Stands for an item that could not be read, under the name it would have had."""
    key, value = tree, None
    if isinstance(tree, YamlMapping) and tree.entries:
        key, value = tree.entries[0]
    keys = {key.text: item for key, item in value.entries} if isinstance(value, YamlMapping) else {}
    named = reader.guess(partial(name, reader), keys["name"]) if "name" in keys else None
    holds_layers = isinstance(value, YamlList) or "layers" in keys or "paths" in keys
    kind = key.text if isinstance(key, YamlScalar) and not holds_layers else None
    return BrokenStep(tree.span, named, None, None, kind)


def paths(reader: Reader, tree: Tree) -> tuple[tuple[TemplateField | None, Body], ...]:
    """Paths by name, or a list of paths without names."""
    if isinstance(tree, YamlList):
        return tuple((None, layers(reader, item, "a path")) for item in tree.items)
    if not isinstance(tree, YamlMapping):
        help = "write paths: {name: [...], ...}, or paths: [[...], [...]]"
        raise fail("wrong-type", f"'paths' are lists of layers, not {describe(tree)}", tree.span, help=help)
    return tuple((name(reader, key), layers(reader, item, f"the path '{key.text}'")) for key, item in tree.entries)


def join(reader: Reader, tree: Tree) -> OpStep:
    """The op that makes one value of several."""
    assert isinstance(reader, SpecReader)
    help = f"choose one of {', '.join(op.kind for op in OPS if issubclass(op, Join))}"
    if isinstance(tree, YamlList) or (isinstance(tree, YamlScalar) and not isinstance(tree.value, str)):
        raise fail("wrong-type", f"'join' is an op, not {describe(tree)}", tree.span, help=help)
    found = step(reader, tree)
    if not isinstance(found, OpStep) or not issubclass(found.op, Join):
        raise fail("wrong-value", "'join' needs an op that takes several values", tree.span, help=help)
    if found.sources is not None or found.when is not None:
        raise fail("wrong-value", "a join always takes the values of its paths", tree.span, help="remove its keys")
    return found


# --- the keys -------------------------------------------------------------------------------------------------------

_LAYERS = {"$ref": "#/$defs/layers"}
_NAMES = {"$ref": "#/$defs/names"}
_NUMBER = {"$ref": "#/$defs/number"}
_TEXT = {"$ref": "#/$defs/text"}

COMMON: Keys = {
    "name": Key(name, "its name, and the prefix of its weight names", _TEXT),
    "from": Key(references, "its input value or values, instead of the previous one (`prev`)", _NAMES),
    "when": Key(condition, "an expression; if it is false, the item is left out", {"type": ["string", "boolean"]}),
}

NAMING: Keys = {
    "naming": Key(_naming, "`index` numbers unnamed children, as `nn.Sequential` does",
                  {"enum": ["op", "index"]}),
}  # fmt: skip

_ROUNDS: Keys = {
    "over": Key(_over, "a list: one iteration per entry", _NUMBER),
    "as": Key(variables, "the name of the current entry; a list of names unpacks it", _NAMES),
    "index": Key(variable, "the name of the iteration number, which counts from 0", _TEXT),
    "layers": Key(layers, "the layers of one iteration", _LAYERS),
}

_JOINING: Keys = {
    "join": Key(join, "the op that combines the values of the paths", {"$ref": "#/$defs/step"}),
    "align": Key(_align, "`center_crop` crops larger paths to the smallest before the join",
                 {"enum": ["none", "center_crop"]}),
}  # fmt: skip


def weighing_keys(op: type[Op]) -> Keys:
    """The keys about weights, for an op that has any."""
    return WEIGHT_KEYS if op.weights is not Op.weights else {}


STRUCTURES: Mapping[str, Keys] = {
    "sequential": {**COMMON, **NAMING, "layers": Key(layers, "layers that run in sequence", _LAYERS, required=True)},
    "residual": {
        **COMMON,
        **_JOINING,
        "layers": Key(layers, "the main path", _LAYERS, required=True),
        "shortcut": Key(partial(layers, what="'shortcut'"), "the shortcut path; the identity if empty", _LAYERS),
    },
    "parallel": {
        **COMMON,
        **_JOINING,
        "paths": Key(paths, "the paths, by name or in a list", {"$ref": "#/$defs/paths"}),
        **_ROUNDS,
    },
    "repeat": {
        **COMMON,
        "times": Key(_times, "the number of iterations", _NUMBER),
        **_ROUNDS,
        "layers": Key(layers, "the layers of one iteration", _LAYERS, required=True),
    },
    "side": {
        **COMMON,
        "layers": Key(layers, "the layers of the side path", _LAYERS, required=True),
        "training_only": Key(_training_only, "whether the path runs only during training", {"type": "boolean"}),
    },
}
"""The keys of each structure."""


# --- steps ----------------------------------------------------------------------------------------------------------


def step(reader: SpecReader, tree: Tree) -> Step:
    """One item of `layers`.

    Raises:
        ArchspecError: there is no telling what the item is.
    """
    key, value = _split(reader, tree)
    kind = key.text
    if kind in reader.taken:
        raise _reported()
    if kind in STRUCTURES:
        return _structure(reader, key, value)
    if kind in reader.vocabulary.ops:
        return _op(reader, key, value, reader.vocabulary.ops[kind])
    if "$" in kind or reader.has_block(kind):
        return _call(reader, key, value)
    return _op(reader, key, value, op_of_package(kind, sorted(reader.blocks or ()), key.span, reader.vocabulary))


def op_of_package(kind: str, blocks: Iterable[str], span: Span, vocabulary: OpRegistry) -> type[Op]:
    """The op that an installed package brings for an item that is neither an op nor a structure nor a block here.

    Raises:
        ArchspecError: none does.
    """
    unknown = _unknown_op(kind, blocks, span, vocabulary)
    try:
        op = vocabulary.discover(kind, span)
    except ArchspecError as error:
        raise ArchspecError((*unknown.diagnostics, *error.diagnostics)) from error
    if op is None:
        raise unknown
    return op


def _unknown_op(kind: str, blocks: Iterable[str], span: Span, vocabulary: OpRegistry) -> ArchspecError:
    help = op_help(kind, [*blocks, *STRUCTURES, *vocabulary.ops])
    return fail("unknown-op", f"there is no op, block or structure '{kind}'", span, help=help)


def _split(reader: SpecReader, tree: Tree) -> tuple[YamlScalar, Tree | None]:
    """The word an item starts with, and what stands under it."""
    if isinstance(tree, YamlScalar) and isinstance(tree.value, str):
        return tree, None
    if isinstance(tree, YamlMapping) and len(tree.entries) == 1:
        key, value = tree.entries[0]
        return key, None if is_empty(value) else value
    if isinstance(tree, YamlMapping) and not tree.whole:
        raise _reported()
    if isinstance(tree, YamlMapping) and tree.entries:
        raise several_keys(tree.entries, {*STRUCTURES, *reader.vocabulary.ops, *(reader.blocks or ())})
    message = f"an item of 'layers' is an op, a block or a structure, not {describe(tree)}"
    raise fail("wrong-type", message, tree.span, help="write - relu, or - conv: {channels: ..., kernel: ...}")


def _op(reader: SpecReader, key: YamlScalar, value: Tree | None, op: type[Op]) -> OpStep:
    known = attributes_of(op)
    faults = len(reader.diagnostics)
    values: dict[str, Any] = {}
    attributes: dict[str, Field | None] = {}
    if isinstance(value, YamlMapping):
        values = reader.keys(f"'{op.kind}'", value, {**COMMON, **weighing_keys(op)}, others=known)
        for scalar, tree in value.entries:
            if scalar.text in known:
                words = known[scalar.text].keywords
                attributes[scalar.text] = reader.attempt(partial(fields.number, keywords=words), tree)
        if not value.whole:
            raise _reported()
    elif value is not None and op.shorthand == "from":
        values["from"] = references(reader, value)
    elif value is not None and op.shorthand is not None and not spaced(value):
        attributes[op.shorthand] = fields.number(value, known[op.shorthand].keywords)
    elif value is not None:
        what = "takes named attributes" if known else "takes no attributes"
        message = f"'{op.kind}' {what}, not {describe(value)}"
        raise fail("wrong-type", message, value.span, help=spaced(value) or usage(op))
    options = weight_options(reader, values)
    if len(reader.diagnostics) > faults:
        raise _reported()
    missing = [f"'{name}'" for name in known if known[name].required and name not in attributes]
    if missing:
        raise fail("missing-attribute", f"'{op.kind}' needs {' and '.join(missing)}", key.span, help=usage(op))
    given = {name: found for name, found in attributes.items() if found is not None}
    return OpStep(*_common(key, values), op=op, attributes=given, weight_options=options)


def usage(op: type[Op]) -> str:
    """How an op is written with the attributes it cannot do without."""
    known = attributes_of(op)
    needed = [name for name in known if known[name].required] or list(known)[:1]
    if needed == [op.shorthand]:
        return f"write - {op.kind}: ..., where '{needed[0]}' is {known[needed[0]].phrase}"
    usage = f"- {op.kind}: {{{', '.join(f'{name}: ...' for name in needed)}}}"
    if any(known[name].required for name in needed):
        return f"write {usage}"
    return f"write - {op.kind}, or {usage}" if needed else f"write - {op.kind}"


def _call(reader: SpecReader, key: YamlScalar, value: Tree | None) -> CallStep:
    faults = len(reader.diagnostics)
    values: dict[str, Any] = {}
    arguments: dict[str, Given] = {}
    keys = {**COMMON, **SHARING}
    if isinstance(value, YamlMapping):
        values = reader.keys(f"'{key.text}'", value, keys, others=[scalar.text for scalar, _ in value.entries])
        for scalar, tree in value.entries:
            if scalar.text not in keys and (found := reader.attempt(fields.value, tree)) is not None:
                arguments[scalar.text] = Given(scalar.span, found)
    elif value is not None:
        arguments[SHORTHAND] = Given(key.span, fields.value(value))
    callee = fields.template(key)
    if len(reader.diagnostics) > faults or (isinstance(value, YamlMapping) and not value.whole):
        raise _reported()
    return CallStep(*_common(key, values), callee=callee, arguments=arguments, share=values.get("share"))


def _structure(reader: SpecReader, key: YamlScalar, value: Tree | None) -> Step:
    kind, keys = key.text, STRUCTURES[key.text]
    if value is None:
        message = f"'{kind}' needs layers"
        raise fail("missing-key", message, key.span, help=f"write - {kind}: {_SHORTEST[kind]}")
    if isinstance(value, YamlList) and keys["layers"].required and kind != "repeat":
        return _STEPS[kind](_common(key, {}), {"layers": layers(reader, value)}, key.span)
    if not isinstance(value, YamlMapping):
        message = f"'{kind}' takes layers, not {describe(value)}"
        raise fail("wrong-type", message, value.span, help=spaced(value) or f"write - {kind}: {_SHORTEST[kind]}")
    if kind == "parallel" and (fault := bare_paths(value, keys)):
        raise fault
    values = reader.keys(f"'{kind}'", value, keys)
    if not complete(value, values) or ("layers" not in values and keys["layers"].required):
        raise _reported()
    return _STEPS[kind](_common(key, values), values, key.span)


_SHORTEST = {
    "sequential": "[...]",
    "residual": "[...]",
    "parallel": "{join: concat, paths: [[...], [...]]}",
    "repeat": "{times: 3, layers: [...]}",
    "side": "[...]",
}


def _sequential(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return SequentialStep(*common, layers=values["layers"], indexed=values.get("naming", False))


def _residual(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return ResidualStep(
        *common,
        join=values.get("join") or _plain(span, OP_KINDS["add"]),
        crop=values.get("align", False),
        layers=values["layers"],
        shortcut=values.get("shortcut", ()),
    )


def _parallel(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    repeated = [key for key in _ROUNDS if key in values]
    if bool(repeated) == ("paths" in values):
        message = "'parallel' takes either 'paths', or 'over' and 'layers'" + (", not both" if repeated else "")
        help = "write paths: {name: [...], ...}, or over: a list, as: a name, layers: [...]"
        raise fail("missing-key" if not repeated else "wrong-value", message, span, help=help)
    return ParallelStep(
        *common,
        join=values.get("join") or _plain(span, OP_KINDS["concat"]),
        crop=values.get("align", False),
        paths=values.get("paths", ()),
        iterations=_rounds(values, span, "parallel") if repeated else None,
    )


def _repeat(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return RepeatStep(*common, iterations=_rounds(values, span, "repeat"))


def _side(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return SideStep(*common, layers=values["layers"], training_only=values.get("training_only", False))


def _rounds(values: Mapping[str, Any], span: Span, kind: str) -> Iterations:
    times, over, names = values.get("times"), values.get("over"), values.get("as", ())
    if times is not None and over is not None:
        message = f"'{kind}' takes either 'times' or 'over', not both"
        raise fail("wrong-value", message, times.span, help="'over' runs one iteration per entry of its list")
    if times is None and over is None:
        what = "'times' or 'over'" if kind == "repeat" else "'over'"
        help = "over: a list, one iteration per entry"
        help = f"times: a number of iterations; {help}" if kind == "repeat" else help
        raise fail("missing-key", f"'{kind}' needs {what}", span, help=help)
    if over is None and names:
        message = "'as' names the entries of 'over', but 'times' has no entries"
        raise fail("unknown-key", message, span, help="use 'over' with a list, or 'index' to name the iteration number")
    if values.get("index") in names:
        message = f"'{values['index']}' names both the entry and the iteration number"
        raise fail("duplicate-name", message, span, help="choose another 'index'")
    if "layers" not in values:
        raise fail("missing-key", f"'{kind}' needs 'layers'", span, help="layers: what to build for each entry")
    return Iterations(span, times, over, names, values.get("index"), values["layers"])


def _plain(span: Span, op: type[Op]) -> OpStep:
    return OpStep(span, None, None, None, op=op, attributes={}, weight_options=DEFAULT_OPTIONS)


def _reported() -> ArchspecError:
    """Ends the reading of an item whose errors were already collected."""
    return ArchspecError([])


_Common = tuple[Span, TemplateField | None, tuple[TemplateField, ...] | None, Field | None]


def _common(key: YamlScalar, values: Mapping[str, Any]) -> _Common:
    return key.span, values.get("name"), values.get("from"), values.get("when")


_STEPS = {
    "sequential": _sequential,
    "residual": _residual,
    "parallel": _parallel,
    "repeat": _repeat,
    "side": _side,
}
