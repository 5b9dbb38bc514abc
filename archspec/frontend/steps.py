"""The items of `layers`: ops, blocks and the structures that hold layers, read into typed steps.

Every key is declared once, with its meaning and its JSON Schema; the attributes of ops are read off their classes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Span, did_you_mean, fail
from archspec.frontend import written
from archspec.frontend.reader import Key, Keys, Reader, describe
from archspec.frontend.source import List, Scalar, Tree
from archspec.frontend.source import Mapping as MappingTree
from archspec.frontend.spec import (
    NO_WISHES,
    Body,
    BrokenStep,
    CallStep,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    Rounds,
    SequentialStep,
    SideStep,
    Step,
    Weighing,
)
from archspec.frontend.written import Template, Written
from archspec.ir.types import Initializer
from archspec.ops import OPS, Op
from archspec.ops.attributes import attributes_of
from archspec.ops.initializers import INITIALIZERS
from archspec.ops.join import Join

OP_KINDS: Mapping[str, type[Op]] = {op.kind: op for op in OPS}

_NAME = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


class SpecReader(Reader):
    """A reader that knows which blocks the spec defines."""

    def __init__(self, blocks: frozenset[str]) -> None:
        super().__init__()
        self.blocks = blocks

    @property
    def callable(self) -> list[str]:
        """Everything an item of `layers` may be."""
        return [*self.blocks, *OP_KINDS, *STRUCTURES]


# --- what stands under the keys -------------------------------------------------------------------------------------


def name(reader: Reader, tree: Tree) -> Template:
    """A name, possibly computed: letters, digits and underscores."""
    scalar = reader.scalar("a name", tree)
    if "$" not in scalar.text and not _NAME.fullmatch(scalar.text):
        raise fail(
            "bad-name",
            f"'{scalar.text}' cannot be a name",
            scalar.span,
            help="names are made of letters, digits and underscores",
        )
    return written.template(scalar)


def reference(reader: Reader, tree: Tree) -> Template:
    """The name of a value made before, possibly dotted, possibly computed."""
    scalar = reader.scalar("a reference", tree)
    if "$" not in scalar.text and not _REFERENCE.fullmatch(scalar.text):
        raise fail(
            "bad-name",
            f"'{scalar.text}' cannot name a layer",
            scalar.span,
            help="a reference is a name, or names with dots between them",
        )
    return written.template(scalar)


def references(reader: Reader, tree: Tree) -> tuple[Template, ...]:
    """One reference or a list of them."""
    if not isinstance(tree, List):
        return (reference(reader, tree),)
    if not tree.items:
        raise fail("wrong-value", "'from' names no value", tree.span, help="name one, or leave 'from' out")
    return tuple(reference(reader, item) for item in tree.items)


def condition(reader: Reader, tree: Tree) -> Written:
    """An expression that is true or false."""
    return written.number(tree)


def variable(reader: Reader, tree: Tree) -> str:
    """A name for expressions to use."""
    text = reader.text("a variable", tree)
    if not text.isidentifier() or text in ("in", "if", "else", "and", "or", "not"):
        raise fail(
            "bad-name",
            f"'{text}' cannot be a variable",
            tree.span,
            help="start it with a letter, go on with letters, digits and underscores",
        )
    return text


def variables(reader: Reader, tree: Tree) -> tuple[str, ...]:
    """One variable, or a list that takes an entry apart."""
    if isinstance(tree, List):
        return tuple(variable(reader, item) for item in tree.items)
    return (variable(reader, tree),)


def naming(reader: Reader, tree: Tree) -> bool:
    """How children without a name are called: by their op, or by number."""
    return reader.choice("naming", tree, ("op", "index")) == "index"


def align(reader: Reader, tree: Tree) -> bool:
    """What to do about paths of unequal size."""
    return reader.choice("align", tree, ("none", "center_crop")) == "center_crop"


def flag(reader: Reader, tree: Tree) -> bool:
    """True or false, as written."""
    return reader.flag("this", tree)


def layers(reader: Reader, tree: Tree) -> Body:
    """A list of items."""
    assert isinstance(reader, SpecReader)
    return tuple(
        reader.attempt(lambda item: step(reader, item), item) or _broken(item)
        for item in reader.list("a list of layers", tree)
    )


def _broken(tree: Tree) -> BrokenStep:
    """Stands for an item that could not be read, under the name it would have had."""
    name = None
    if isinstance(tree, MappingTree) and tree.entries and isinstance(tree.entries[0][1], MappingTree):
        given = tree.entries[0][1].get("name")
        name = written.template(given) if isinstance(given, Scalar) and _NAME.fullmatch(given.text) else None
    return BrokenStep(tree.span, name, None, None)


def paths(reader: Reader, tree: Tree) -> tuple[tuple[str | None, Body], ...]:
    """Paths by name, or a list of paths without names."""
    if isinstance(tree, List):
        return tuple((None, layers(reader, item)) for item in tree.items)
    found: list[tuple[str | None, Body]] = []
    for key, item in reader.mapping("paths", tree):
        if not _NAME.fullmatch(key.text):
            reader.note(
                "bad-name",
                f"'{key.text}' cannot be the name of a path",
                key.span,
                help="names are made of letters, digits and underscores",
            )
        elif (body := reader.attempt(lambda item: layers(reader, item), item)) is not None:
            found.append((key.text, body))
    return tuple(found)


def join(reader: Reader, tree: Tree) -> OpStep:
    """The op that makes one value of several."""
    assert isinstance(reader, SpecReader)
    found = step(reader, tree)
    if not isinstance(found, OpStep) or not issubclass(found.op, Join):
        known = [op.kind for op in OPS if issubclass(op, Join)]
        raise fail(
            "wrong-value",
            "paths are joined by an op that takes several values",
            tree.span,
            help=f"there are {', '.join(known)}",
        )
    return found


def initializer(reader: Reader, tree: Tree) -> Initializer:
    """A distribution by its name, `{name: {option: value}}`, or a number for all elements."""
    if isinstance(tree, Scalar) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
        return Initializer("constant", {"value": float(tree.value)})
    if isinstance(tree, MappingTree) and len(tree.entries) == 1:
        (key, options), *_ = tree.entries
    else:
        key, options = reader.scalar("an initializer", tree), None
    if key.text not in INITIALIZERS:
        raise fail(
            "unknown-initializer",
            f"there is no initializer '{key.text}'",
            key.span,
            help=did_you_mean(key.text, INITIALIZERS),
        )
    known = INITIALIZERS[key.text]
    values = {option: default[0] if isinstance(default, tuple) else default for option, default in known.items()}
    for option, item in reader.mapping("an initializer's options", options) if options else ():
        default = known.get(option.text)
        if default is None:
            reader.unknown_key(f"'{key.text}'", option, known)
        elif isinstance(default, tuple):
            values[option.text] = reader.choice(f"'{option.text}'", item, default)
        elif isinstance(item, Scalar) and isinstance(item.value, int | float) and not isinstance(item.value, bool):
            values[option.text] = float(item.value)
        else:
            raise fail("wrong-type", f"'{option.text}' is a number, not {describe(item)}", item.span)
    return Initializer(key.text, values)


def initializers(reader: Reader, tree: Tree) -> Mapping[str, Initializer]:
    """An initializer for the weight, or one for each weight by its name."""
    if isinstance(tree, MappingTree) and not (len(tree.entries) == 1 and tree.entries[0][0].text in INITIALIZERS):
        named = ((key.text, reader.attempt(lambda item: initializer(reader, item), item)) for key, item in tree.entries)
        return {weight: found for weight, found in named if found is not None}
    return {"weight": initializer(reader, tree)}


# --- the keys -------------------------------------------------------------------------------------------------------

_LAYERS = {"$ref": "#/$defs/layers"}
_NAMES = {"$ref": "#/$defs/names"}
_NUMBER = {"$ref": "#/$defs/number"}
_TEXT = {"$ref": "#/$defs/text"}

COMMON: Keys = {
    "name": Key(name, "what it is called, and what its weights are called after", _TEXT),
    "from": Key(references, "the value or values it takes, instead of the one before (`prev`)", _NAMES),
    "when": Key(condition, "an expression; where it is false the item is left out", {"type": ["string", "boolean"]}),
}

SHARING: Keys = {"share": Key(reference, "another layer, whose weights it uses", _TEXT)}

WEIGHING: Keys = {
    **SHARING,
    "init": Key(initializers, "the distribution its weights start from", {"$ref": "#/$defs/init"}),
    "weight": Key(
        lambda _, tree: written.number(tree), "fixed values of the weight, which then does not learn", _NUMBER
    ),
    "trainable": Key(condition, "whether its weights learn", {"type": ["string", "boolean"]}),
}


def weighing_keys(op: type[Op]) -> Keys:
    """The keys about weights, for an op that has any."""
    return WEIGHING if op.weights is not Op.weights else {}


_ROUNDS: Keys = {
    "over": Key(lambda _, tree: written.number(tree), "a list: one round for each of its entries", _NUMBER),
    "as": Key(variables, "what a round calls its entry; a list of names takes the entry apart", _NAMES),
    "index": Key(variable, "what a round calls its number, counted from 0", _TEXT),
    "layers": Key(layers, "the layers of a round", _LAYERS),
}

_JOINING: Keys = {
    "join": Key(join, "the op that makes one value of the paths'", {"$ref": "#/$defs/step"}),
    "align": Key(align, "`center_crop` cuts larger paths to the smallest before the join",
                 {"enum": ["none", "center_crop"]}),
}  # fmt: skip

_NAMING: Keys = {
    "naming": Key(naming, "`index` numbers children without a name, as `nn.Sequential` does", {"enum": ["op", "index"]})
}

STRUCTURES: Mapping[str, Keys] = {
    "sequential": {**COMMON, **_NAMING, "layers": Key(layers, "layers after one another", _LAYERS, required=True)},
    "residual": {
        **COMMON,
        **_JOINING,
        "layers": Key(layers, "the layers beside the shortcut", _LAYERS, required=True),
        "shortcut": Key(layers, "the other path; the identity when empty", _LAYERS),
    },
    "parallel": {
        **COMMON,
        **_JOINING,
        "paths": Key(paths, "the paths, by name or in a list", {"$ref": "#/$defs/paths"}),
        **_ROUNDS,
    },
    "repeat": {
        **COMMON,
        "times": Key(lambda _, tree: written.number(tree), "how many rounds", _NUMBER),
        **_ROUNDS,
        "layers": Key(layers, "the layers of a round", _LAYERS, required=True),
    },
    "side": {
        **COMMON,
        "layers": Key(layers, "the layers of the side path", _LAYERS, required=True),
        "training_only": Key(flag, "whether the path runs only while training", {"type": "boolean"}),
    },
}
"""The keys of each structure."""


# --- steps ----------------------------------------------------------------------------------------------------------


def step(reader: SpecReader, tree: Tree) -> Step:
    """One item of `layers`.

    Raises:
        ArchspecError: there is no telling what the item is.
    """
    key, value = _split(tree)
    kind = key.text
    if kind in STRUCTURES:
        return _structure(reader, key, value)
    if kind in OP_KINDS:
        return _op(reader, key, value, OP_KINDS[kind])
    if "$" in kind or kind in reader.blocks:
        return _call(reader, key, value)
    raise fail("unknown-op", f"there is no op or block '{kind}'", key.span, help=did_you_mean(kind, reader.callable))


def _split(tree: Tree) -> tuple[Scalar, Tree | None]:
    """The word an item starts with, and what stands under it."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return tree, None
    if isinstance(tree, MappingTree) and len(tree.entries) == 1:
        key, value = tree.entries[0]
        return key, None if isinstance(value, Scalar) and value.value is None else value
    if isinstance(tree, MappingTree) and tree.entries:
        count = len(tree.entries)
        key, (extra, _) = tree.entries[0][0], tree.entries[1]
        raise fail(
            "wrong-type",
            f"an item is one op with its attributes under it, and here stand {count} keys",
            extra.span,
            help=f"write - {key.text}: {{..., {extra.text}: ...}}",
        )
    raise fail("wrong-type", f"an item of `layers` is an op, a block or a structure, not {describe(tree)}", tree.span)


def _op(reader: SpecReader, key: Scalar, value: Tree | None, op: type[Op]) -> OpStep:
    known = attributes_of(op)
    faults = len(reader.diagnostics)
    values: dict[str, Any] = {}
    attributes: dict[str, Written | None] = {}
    if isinstance(value, MappingTree):
        values = reader.keys(f"'{op.kind}'", value, {**COMMON, **weighing_keys(op)}, others=known)
        for scalar, tree in value.entries:
            if scalar.text in known:
                words = known[scalar.text].keywords
                attributes[scalar.text] = reader.attempt(partial(written.number, keywords=words), tree)
    elif value is not None and op.principal == "from":
        values["from"] = references(reader, value)
    elif value is not None and op.principal is not None:
        attributes[op.principal] = written.number(value, known[op.principal].keywords)
    elif value is not None:
        raise fail(
            "wrong-type",
            f"'{op.kind}' takes its attributes by name, not {describe(value)}",
            value.span,
            help=_usage(op),
        )
    if len(reader.diagnostics) == faults:
        for name in known:
            if known[name].required and name not in attributes:
                reader.note(
                    "missing-attribute", f"'{op.kind}' needs '{name}'", key.span, help=f"{name}: {known[name].phrase}"
                )
    if len(reader.diagnostics) > faults:
        raise ArchspecError([])
    weighing = NO_WISHES
    if not values.keys().isdisjoint(WEIGHING):
        weighing = Weighing(values.get("share"), values.get("init", {}), values.get("weight"), values.get("trainable"))
    given = {name: found for name, found in attributes.items() if found is not None}
    return OpStep(*_common(key, values), op=op, attributes=given, weighing=weighing)


def _usage(op: type[Op]) -> str:
    attributes = attributes_of(op)
    return f"write - {op.kind}: {{{next(iter(attributes))}: ...}}" if attributes else f"write - {op.kind}"


def _call(reader: SpecReader, key: Scalar, value: Tree | None) -> CallStep:
    faults = len(reader.diagnostics)
    values: dict[str, Any] = {}
    arguments: dict[str, Written | None] = {}
    keys = {**COMMON, **SHARING}
    if isinstance(value, MappingTree):
        values = reader.keys(f"'{key.text}'", value, keys, others=[scalar.text for scalar, _ in value.entries])
        for scalar, tree in value.entries:
            if scalar.text not in keys:
                arguments[scalar.text] = reader.attempt(written.value, tree)
    elif value is not None:
        arguments[PRINCIPAL] = written.value(value)
    if len(reader.diagnostics) > faults:
        raise ArchspecError([])
    given = {name: found for name, found in arguments.items() if found is not None}
    return CallStep(*_common(key, values), callee=written.template(key), arguments=given, share=values.get("share"))


PRINCIPAL = ""
"""The name an argument goes by that was given without one: `- block: value`."""


def _structure(reader: SpecReader, key: Scalar, value: Tree | None) -> Step:
    kind = key.text
    if value is None:
        raise fail("missing-key", f"'{kind}' needs its keys", key.span, help=f"write - {kind}: {{layers: [...]}}")
    if isinstance(value, List) and "layers" in STRUCTURES[kind] and kind in ("sequential", "side", "residual"):
        return _STEPS[kind](_common(key, {}), {"layers": layers(reader, value)}, key.span)
    values = reader.keys(f"'{kind}'", value, STRUCTURES[kind])
    if any(required.required and name not in values for name, required in STRUCTURES[kind].items()):
        raise ArchspecError([])
    return _STEPS[kind](_common(key, values), values, key.span)


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
    rounds = _rounds(values, span) if "over" in values or "layers" in values else None
    if (rounds is None) == ("paths" not in values):
        raise fail("missing-key", "'parallel' takes either 'paths', or 'over' with 'layers'", span)
    return ParallelStep(
        *common,
        join=values.get("join") or _plain(span, OP_KINDS["concat"]),
        crop=values.get("align", False),
        paths=values.get("paths", ()),
        rounds=rounds,
    )


def _repeat(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return RepeatStep(*common, rounds=_rounds(values, span))


def _side(common: _Common, values: Mapping[str, Any], span: Span) -> Step:
    return SideStep(*common, layers=values["layers"], training_only=values.get("training_only", False))


def _rounds(values: Mapping[str, Any], span: Span) -> Rounds:
    times, over = values.get("times"), values.get("over")
    if (times is None) == (over is None):
        raise fail(
            "missing-key",
            "a repetition takes either 'times' or 'over'",
            span,
            help="times: a number of rounds; over: a list, one round for each of its entries",
        )
    if over is None and "as" in values:
        raise fail(
            "unknown-key",
            "'as' names the entry of a round, and 'times' has no entries",
            span,
            help="write 'over' with a list, or 'index' to name the number of the round",
        )
    if "layers" not in values:
        raise fail("missing-key", "a repetition needs 'layers'", span)
    return Rounds(span, times, over, values.get("as", ()), values.get("index"), values["layers"])


def _plain(span: Span, op: type[Op]) -> OpStep:
    return OpStep(span, None, None, None, op=op, attributes={}, weighing=NO_WISHES)


_Common = tuple[Span, Template | None, tuple[Template, ...] | None, Written | None]


def _common(key: Scalar, values: Mapping[str, Any]) -> _Common:
    return key.span, values.get("name"), values.get("from"), values.get("when")


_STEPS = {
    "sequential": _sequential,
    "residual": _residual,
    "parallel": _parallel,
    "repeat": _repeat,
    "side": _side,
}
