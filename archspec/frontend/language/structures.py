"""The structures of the language, which hold layers: the keys of each, its shortest form, and its typed step.

Each structure is one `Construct` in `CONSTRUCTS`. A new one is a step class in `language.spec` with its record here, a
build function in `elaborate.constructs`, and a `ScopeKind` in `ir.graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.language import fields
from archspec.frontend.language.fields import Field, TemplateField
from archspec.frontend.language.identifiers import name, references, variable, variables
from archspec.frontend.language.key_hints import bare_paths
from archspec.frontend.language.reader import Key, Keys, Reader, Schema, describe
from archspec.frontend.language.spec import (
    DEFAULT_OPTIONS,
    Body,
    BrokenStep,
    Iterations,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Step,
)
from archspec.frontend.language.weight_options import FREEZING, condition
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.frozen import field, frozen
from archspec.ops import OPS, Op
from archspec.ops.merge import Add, Concat, Join


class StepReader(Reader):
    """A reader of steps; `language.steps` implements it."""

    def step(self, tree: Tree) -> Step:
        """Read one item of `layers`.

        Raises:
            ArchspecError: the item cannot be read.
        """
        raise NotImplementedError  # `language.steps` has it, which imports this module


# --- values of keys -------------------------------------------------------------------------------------------------


def _naming(reader: Reader, tree: Tree) -> bool:
    return reader.choice("'naming'", tree, ("op", "index")) == "index"


def _align(reader: Reader, tree: Tree) -> bool:
    return reader.choice("'align'", tree, ("none", "center_crop")) == "center_crop"


def _training_only(reader: Reader, tree: Tree) -> bool:
    return reader.flag("'training_only'", tree)


def _times(reader: Reader, tree: Tree) -> Field:
    return fields.number(tree)


def _over(reader: Reader, tree: Tree) -> Field:
    return fields.value(tree) if isinstance(tree, YamlList) else fields.number(tree)  # words in a list are texts


def layers(reader: Reader, tree: Tree, what: str = "'layers'") -> Body:
    """A list of items, which messages call `what`; an item that cannot be read becomes a `BrokenStep`."""
    assert isinstance(reader, StepReader)
    return tuple(reader.attempt(reader.step, item) or _broken(reader, item) for item in reader.list(what, tree))


def _broken(reader: StepReader, tree: Tree) -> BrokenStep:
    """The step in place of an item that could not be read, with its name and kind if they are known."""
    key, value = tree, None
    if isinstance(tree, YamlMapping) and tree.entries:
        key, value = tree.entries[0]
    keys = {key.text: item for key, item in value.entries} if isinstance(value, YamlMapping) else {}
    named = reader.guess(partial(name, reader), keys["name"]) if "name" in keys else None
    holds_layers = isinstance(value, YamlList) or "layers" in keys or "paths" in keys
    kind = key.text if isinstance(key, YamlScalar) and not holds_layers else None
    return BrokenStep(tree.span, named, None, None, None, kind)


def paths(reader: Reader, tree: Tree) -> tuple[tuple[TemplateField | None, Body], ...]:
    """Paths by name, or a list of unnamed paths."""
    if isinstance(tree, YamlList):
        return tuple((None, _unnamed_path(reader, item)) for item in tree.items)
    if not isinstance(tree, YamlMapping):
        help = "write paths: {name: [...], ...}, or paths: [[...], [...]]"
        raise fail("wrong-type", f"'paths' are lists of layers, not {describe(tree)}", tree.span, help=help)
    return tuple((name(reader, key), layers(reader, item, f"the path '{key.text}'")) for key, item in tree.entries)


def _unnamed_path(reader: Reader, tree: Tree) -> Body:
    """A path of a list: a list of layers itself."""
    op = tree.entries[0][0] if isinstance(tree, YamlMapping) and tree.entries else tree
    if isinstance(op, YamlScalar) and isinstance(op.value, str):
        help = f"put the path in brackets: - [{op.text}{': ...' if op is not tree else ''}], or write a second dash"
        raise fail("wrong-type", f"a path is a list of layers, not {describe(tree)}", tree.span, help=help)
    return layers(reader, tree, "a path")


def join(reader: Reader, tree: Tree) -> OpStep:
    """An op that combines several values into one."""
    assert isinstance(reader, StepReader)
    help = f"choose one of {', '.join(op.kind for op in OPS if issubclass(op, Join))}"
    if isinstance(tree, YamlList) or (isinstance(tree, YamlScalar) and not isinstance(tree.value, str)):
        raise fail("wrong-type", f"'join' is an op, not {describe(tree)}", tree.span, help=help)
    step = reader.step(tree)
    if not isinstance(step, OpStep) or not issubclass(step.op, Join):
        raise fail("wrong-value", "'join' needs an op that takes several values", tree.span, help=help)
    if step.sources is not None or step.when is not None:
        raise fail("wrong-value", "a join always takes the values of its paths", tree.span, help="remove its keys")
    return step


# --- the keys -------------------------------------------------------------------------------------------------------

_LAYERS = {"$ref": "#/$defs/layers"}

COMMON: Keys = {
    "name": Key(name, "its name, and the prefix of its weight names", {"$ref": "#/$defs/name"}),
    "from": Key(
        references, "its input value or values, instead of the previous one (`prev`)", {"$ref": "#/$defs/references"}
    ),
    "when": Key(condition, "an expression; if it is false, the item is left out", {"$ref": "#/$defs/condition"}),
}

PART: Keys = {**COMMON, **FREEZING}
"""The keys of an item that holds layers."""

NAMING: Keys = {
    "naming": Key(_naming, "`index` numbers unnamed children, as `nn.Sequential` does",
                  {"enum": ["op", "index"]}),
}  # fmt: skip

_ITERATIONS: Keys = {
    "over": Key(_over, "a list: one iteration per entry", {"$ref": "#/$defs/list"}),
    "as": Key(variables, "the name of the current entry; a list of names unpacks it", {"$ref": "#/$defs/variables"}),
    "index": Key(variable, "the name of the iteration number, which counts from 0", {"$ref": "#/$defs/variable"}),
    "layers": Key(layers, "the layers of one iteration", _LAYERS),
}

_JOINING: Keys = {
    "join": Key(join, "the op that combines the values of the paths", {"$ref": "#/$defs/join"}),
    "align": Key(_align, "`center_crop` crops larger paths to the smallest before the join",
                 {"enum": ["none", "center_crop"]}),
}  # fmt: skip


# --- steps ----------------------------------------------------------------------------------------------------------

StepFields = tuple[Span, TemplateField | None, tuple[TemplateField, ...] | None, Field | None, Field | None]
"""The fields that all steps have: span, name, inputs, condition, and whether their weights are trainable."""


def step_fields(key: YamlScalar, values: Mapping[str, Any]) -> StepFields:
    """The fields that all steps have, from the values of the common keys."""
    return key.span, values.get("name"), values.get("from"), values.get("when"), values.get("trainable")


def _sequential(common: StepFields, values: Mapping[str, Any], span: Span) -> Step:
    return SequentialStep(*common, layers=values["layers"], indexed=values.get("naming", False))


def _residual(common: StepFields, values: Mapping[str, Any], span: Span) -> Step:
    return ResidualStep(
        *common,
        join=values.get("join") or _default_join(span, Add),
        crop=values.get("align", False),
        layers=values["layers"],
        shortcut=values.get("shortcut", ()),
    )


def _parallel(common: StepFields, values: Mapping[str, Any], span: Span) -> Step:
    repeated = [key for key in _ITERATIONS if key in values]
    if bool(repeated) == ("paths" in values):
        message = "'parallel' takes either 'paths', or 'over' and 'layers'" + (", not both" if repeated else "")
        help = "write paths: {name: [...], ...}, or over: a list, as: a name, layers: [...]"
        raise fail("missing-key" if not repeated else "wrong-value", message, span, help=help)
    return ParallelStep(
        *common,
        join=values.get("join") or _default_join(span, Concat),
        crop=values.get("align", False),
        paths=values.get("paths", ()),
        iterations=_iterations(values, span, "parallel") if repeated else None,
    )


def _repeat(common: StepFields, values: Mapping[str, Any], span: Span) -> Step:
    return RepeatStep(*common, iterations=_iterations(values, span, "repeat"))


def _side(common: StepFields, values: Mapping[str, Any], span: Span) -> Step:
    return SideStep(*common, layers=values["layers"], training_only=values.get("training_only", False))


def _iterations(values: Mapping[str, Any], span: Span, kind: str) -> Iterations:
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


def _default_join(span: Span, op: type[Op]) -> OpStep:
    """The join of paths that name none: an op without attributes."""
    return OpStep(span, None, None, None, None, op=op, attributes={}, weight_options=DEFAULT_OPTIONS)


# --- structures -----------------------------------------------------------------------------------------------------


@frozen
class Construct:
    """A structure of the language: its step class, its keys, and how it is read.

    Attributes:
        step: the class of its steps, which has its keyword.
        keys: the keys it takes.
        shortest: its shortest form, for help texts.
        read: makes the step of the common fields, the values of the keys, and the position of the keyword.
        takes_list: whether a list in place of a mapping means its `layers`.
        misplaced: gives the error of a mapping whose layers are under the wrong keys, or None.
        schema: what the keys require of one another, as JSON Schema.
    """

    step: type[Step]
    keys: Keys
    shortest: str
    read: Callable[[StepFields, Mapping[str, Any], Span], Step]
    takes_list: bool = False
    misplaced: Callable[[YamlMapping, Collection[str]], ArchspecError | None] | None = None
    schema: Schema = field(default_factory=dict)


CONSTRUCTS: Mapping[str, Construct] = {
    construct.step.keyword: construct
    for construct in (
        Construct(
            SequentialStep,
            {**PART, **NAMING, "layers": Key(layers, "layers that run in sequence", _LAYERS, required=True)},
            shortest="[...]",
            read=_sequential,
            takes_list=True,
        ),
        Construct(
            ResidualStep,
            {
                **PART,
                **_JOINING,
                "layers": Key(layers, "the main path", _LAYERS, required=True),
                "shortcut": Key(
                    partial(layers, what="'shortcut'"), "the shortcut path; the identity if empty", _LAYERS
                ),
            },
            shortest="[...]",
            read=_residual,
            takes_list=True,
        ),
        Construct(
            ParallelStep,
            {
                **PART,
                **_JOINING,
                "paths": Key(paths, "the paths, by name or in a list", {"$ref": "#/$defs/paths"}),
                **_ITERATIONS,
            },
            shortest="{join: concat, paths: [[...], [...]]}",
            read=_parallel,
            misplaced=bare_paths,
            schema={
                "oneOf": [{"required": ["paths"]}, {"required": ["over", "layers"]}],
                "dependentRequired": {"over": ["layers"], "as": ["over"], "index": ["over"], "layers": ["over"]},
            },
        ),
        Construct(
            RepeatStep,
            {
                **PART,
                "times": Key(_times, "the number of iterations", {"$ref": "#/$defs/count"}),
                **_ITERATIONS,
                "layers": Key(layers, "the layers of one iteration", _LAYERS, required=True),
            },
            shortest="{times: 3, layers: [...]}",
            read=_repeat,
            schema={
                "oneOf": [{"required": ["times"]}, {"required": ["over"]}],
                "dependentRequired": {"as": ["over"]},
            },
        ),
        Construct(
            SideStep,
            {
                **PART,
                "layers": Key(layers, "the layers of the side path", _LAYERS, required=True),
                "training_only": Key(_training_only, "whether the path runs only during training", {"type": "boolean"}),
            },
            shortest="[...]",
            read=_side,
            takes_list=True,
        ),
    )
}
"""The structures of the language by their keywords."""
