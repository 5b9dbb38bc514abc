"""The language: which keys a spec has, what may stand under each, and the typed form it is read into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from archspec.codes import CODES
from archspec.diagnostics import Diagnostic, Source, Span, did_you_mean, fail
from archspec.frontend import source as yaml
from archspec.frontend import written
from archspec.frontend.reader import Key, Keys, Reader, describe
from archspec.frontend.source import List, Scalar, Tree
from archspec.frontend.source import Mapping as MappingTree
from archspec.frontend.spec import Block, Expected, Input, Returned, Spec, Variant
from archspec.frontend.steps import (
    OP_KINDS,
    STRUCTURES,
    SpecReader,
    initializers,
    layers,
    naming,
    reference,
    variable,
)
from archspec.frontend.written import Written
from archspec.ir.types import DType, Initializer

VERSION = 1
"""The version of the language, which a spec names first: `archspec: 1`."""

T = TypeVar("T")


# --- what stands under the keys -------------------------------------------------------------------------------------


def _version(reader: Reader, tree: Tree) -> int:
    if not isinstance(tree, Scalar) or tree.value != VERSION or isinstance(tree.value, bool):
        raise fail(
            "wrong-version",
            f"this is version {describe(tree)} of the language",
            tree.span,
            help=f"this compiler reads `archspec: {VERSION}`",
        )
    return VERSION


def _text(reader: Reader, tree: Tree) -> str:
    return reader.text("this", tree)


def _plain_name(reader: Reader, tree: Tree) -> str:
    return reader.scalar("a name", tree).text


def _value(reader: Reader, tree: Tree) -> Written:
    return written.value(tree)


def _number(reader: Reader, tree: Tree) -> Written:
    return written.number(tree)


def _named(what: str, read: Callable[[Reader, Scalar, Tree], T | None]) -> Callable[[Reader, Tree], dict[str, T]]:
    """Reads a mapping from names to what `read` makes of their values."""

    def read_all(reader: Reader, tree: Tree) -> dict[str, T]:
        found: dict[str, T] = {}
        for key, item in reader.mapping(what, tree):
            value = reader.attempt(partial(read, reader, key), item)
            if value is not None:
                found[key.text] = value
        return found

    return read_all


def _param(reader: Reader, key: Scalar, tree: Tree) -> Written:
    variable(reader, key)
    if key.text in _VARIANT:
        raise fail("bad-name", f"a param cannot be called '{key.text}': a variant says its own under it", key.span)
    return written.value(tree)


_VARIANT: Keys = {
    "summary": Key(_text, "one line about the variant", {"type": "string"}),
    "reference": Key(_text, "where the variant was published", {"type": "string"}),
}


def _variant(reader: Reader, key: Scalar, tree: Tree) -> Variant:
    entries = reader.mapping("a variant", tree)
    others = [scalar.text for scalar, _ in entries if scalar.text not in _VARIANT]
    values = reader.keys("a variant", tree, _VARIANT, others=others)
    given = {k.text: reader.attempt(written.value, item) for k, item in entries if k.text not in _VARIANT}
    params = {name: value for name, value in given.items() if value is not None}
    return Variant(key.text, key.span, params, values.get("summary"), values.get("reference"))


_INPUT: Keys = {
    "shape": Key(_number, "its sizes without the batch axis", {"$ref": "#/$defs/number"}, required=True),
    "dtype": Key(
        lambda reader, tree: DType(reader.choice("dtype", tree, list(DType))), "its elements", {"enum": list(DType)}
    ),
}


def _input(reader: Reader, key: Scalar, tree: Tree) -> Input:
    if isinstance(tree, MappingTree):
        values = reader.keys("an input", tree, _INPUT)
        return Input(
            key.text, values.get("shape") or written.Constant(tree.span, None), values.get("dtype", DType.FLOAT32)
        )
    return Input(key.text, written.number(tree), DType.FLOAT32)


def _only_input(reader: Reader, tree: Tree) -> Input:
    return _input(reader, Scalar("input", "input", True, tree.span), tree)


def _block(reader: Reader, key: Scalar, tree: Tree) -> Block:
    if key.text in OP_KINDS or key.text in STRUCTURES:
        kind = "an op" if key.text in OP_KINDS else "a structure"
        raise fail("name-taken", f"'{key.text}' is {kind} of the language", key.span, help="call the block otherwise")
    if not key.text.isidentifier():
        raise fail(
            "bad-name",
            f"'{key.text}' cannot be the name of a block",
            key.span,
            help="start it with a letter, go on with letters, digits and underscores",
        )
    values = reader.keys(f"the block '{key.text}'", tree, BLOCK)
    return Block(key.text, key.span, values.get("args", {}), values.get("layers", ()), values.get("naming", False))


def _arguments(reader: Reader, tree: Tree) -> dict[str, Written | None]:
    if isinstance(tree, List):
        return {variable(reader, item): None for item in tree.items}
    found: dict[str, Written | None] = {}
    for key, item in reader.mapping("args", tree):
        name = reader.attempt(lambda key: variable(reader, key), key)
        if name is not None:
            required = isinstance(item, Scalar) and item.value is None
            found[name] = None if required else reader.attempt(written.value, item)
    return found


BLOCK: Keys = {
    "args": Key(_arguments, "its arguments: a list of names, or names with defaults (~ for none)",
                {"type": ["array", "object"]}),
    "naming": Key(naming, "`index` numbers its children without a name", {"enum": ["op", "index"]}),
    "layers": Key(layers, "its layers", {"$ref": "#/$defs/layers"}, required=True),
}  # fmt: skip
"""The keys of a block."""


def _outputs(reader: Reader, tree: Tree) -> tuple[Returned, ...]:
    if isinstance(tree, MappingTree):
        return tuple(Returned(key.text, reference(reader, item)) for key, item in tree.entries)
    items = tree.items if isinstance(tree, List) else (tree,)
    found = tuple(Returned(reader.scalar("an output", item).text, reference(reader, item)) for item in items)
    for i, returned in enumerate(found):
        if any(returned.name == before.name for before in found[:i]):
            raise fail("duplicate-key", f"'{returned.name}' is returned twice", items[i].span)
    return found


_FACTS: Keys = {
    "params": Key(_number, "parameters", {"$ref": "#/$defs/number"}),
    "trainable_params": Key(_number, "parameters that learn", {"$ref": "#/$defs/number"}),
    "buffers": Key(_number, "elements of buffers", {"$ref": "#/$defs/number"}),
    "macs": Key(_number, "multiply-accumulates of one sample", {"$ref": "#/$defs/number"}),
}

LAYER_FACTS: Keys = {
    "shape": Key(_number, "its output without the batch axis", {"$ref": "#/$defs/number"}),
    "params": _FACTS["params"],
    "macs": _FACTS["macs"],
    "receptive_field": Key(_number, "how many input positions it sees, along all axes or along each",
                           {"$ref": "#/$defs/number"}),
}  # fmt: skip
"""What can be expected of a layer."""


def _expected_layers(reader: Reader, tree: Tree) -> dict[str, tuple[Span, dict[str, Written]]]:
    return _named("layers", lambda reader, key, item: (key.span, reader.keys(f"'{key.text}'", item, LAYER_FACTS)))(
        reader, tree
    )


EXPECT: Keys = {
    "source": Key(_text, "where the numbers come from", {"type": "string"}),
    **_FACTS,
    "output": Key(_number, "the one output's shape without the batch axis", {"$ref": "#/$defs/number"}),
    "outputs": Key(_named("outputs", lambda _, __, item: written.number(item)), "the outputs' shapes by name",
                   {"type": "object", "additionalProperties": {"$ref": "#/$defs/number"}}),
    "layers": Key(_expected_layers, "facts of layers by name",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/expected_layer"}}),
}  # fmt: skip
"""What can be expected of a network."""


def _expected(reader: Reader, what: str, tree: Tree) -> Expected:
    values = reader.keys(what, tree, EXPECT)
    facts = {name: values[name] for name in (*_FACTS, "output") if name in values}
    return Expected(tree.span, facts, values.get("layers", {}), values.get("outputs", {}), values.get("source"))


def _codes(reader: Reader, tree: Tree) -> frozenset[str]:
    found: set[str] = set()
    for item in tree.items if isinstance(tree, List) else (tree,):
        scalar = reader.scalar("a code", item)
        warnings = [code for code, about in CODES.items() if about.severity == "warning"]
        if scalar.text not in warnings:
            raise fail(
                "wrong-value",
                f"'{scalar.text}' is not the code of a warning",
                scalar.span,
                help=did_you_mean(scalar.text, warnings),
            )
        found.add(scalar.text)
    return frozenset(found)


def _initializers_by_op(reader: Reader, key: Scalar, tree: Tree) -> Mapping[str, Initializer]:
    if key.text not in OP_KINDS:
        raise fail("unknown-op", f"there is no op '{key.text}'", key.span, help=did_you_mean(key.text, OP_KINDS))
    return initializers(reader, tree)


# --- the keys -------------------------------------------------------------------------------------------------------

SPEC: Keys = {
    "archspec": Key(_version, "the version of the language: 1", {"const": VERSION}, required=True),
    "name": Key(_plain_name, "what the network is called", {"type": "string"}, required=True),
    "summary": Key(_text, "one line about it", {"type": "string"}),
    "reference": Key(_text, "where it was published", {"type": "string"}),
    "params": Key(_named("params", _param), "numbers, words and lists that expressions may name, with their defaults",
                  {"type": "object"}),
    "variants": Key(_named("variants", _variant), "named sets of other values for params",
                    {"type": "object", "additionalProperties": {"type": ["object", "null"]}}),
    "default": Key(_plain_name, "the variant meant when none is named", {"type": "string"}),
    "input": Key(_only_input,
                 "the shape of the one input, without the batch axis", {"$ref": "#/$defs/input"}),
    "inputs": Key(_named("inputs", _input), "the inputs by name",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/input"}}),
    "blocks": Key(_named("blocks", _block), "the spec's own composites",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/block"}}),
    "layers": Key(layers, "the network", {"$ref": "#/$defs/layers"}, required=True),
    "outputs": Key(_outputs, "what it returns; the last value unless given",
                   {"anyOf": [{"$ref": "#/$defs/names"}, {"type": "object"}]}),
    "init": Key(_named("init", _initializers_by_op), "the distributions weights start from, by op",
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/init"}}),
    "allow": Key(_codes, "codes of warnings not to give", {"$ref": "#/$defs/names"}),
    "expect": Key(lambda reader, tree: tree, "what must come out, or that for each variant", {"type": "object"}),
}  # fmt: skip
"""The keys of a spec."""


def read(source: Source) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The typed form of a spec, as far as it can be read, and every mistake in it.

    None where too little is there to go on with: bad YAML, or no layers.

    Raises:
        ArchspecError: there is no tree to read.
    """
    tree, faults = yaml.parse(source)
    reader = SpecReader(_block_names(tree))
    reader.diagnostics += faults
    values = reader.keys("a spec", tree, SPEC)
    inputs = _inputs(reader, tree, values)
    if inputs is None or "layers" not in values:
        return None, tuple(reader.diagnostics)
    variants: dict[str, Variant] = values.get("variants", {})
    expect, by_variant = _expectations(reader, values.get("expect"), variants)
    spec = Spec(
        source=source,
        name=values.get("name", "unnamed"),
        summary=values.get("summary", ""),
        reference=values.get("reference", ""),
        params=values.get("params", {}),
        variants=variants,
        default=values.get("default"),
        inputs=inputs,
        blocks=values.get("blocks", {}),
        layers=values["layers"],
        outputs=values.get("outputs", ()),
        expect=expect,
        expect_variants=by_variant,
        initializers=values.get("init", {}),
        allowed=values.get("allow", frozenset()),
    )
    _check_variants(reader, spec, tree)
    return spec, tuple(reader.diagnostics)


def _block_names(tree: Tree) -> frozenset[str]:
    blocks = tree.get("blocks") if isinstance(tree, MappingTree) else None
    return frozenset(key.text for key, _ in blocks.entries) if isinstance(blocks, MappingTree) else frozenset()


def _inputs(reader: Reader, tree: Tree, values: Mapping[str, Any]) -> tuple[Input, ...] | None:
    """The inputs, under either key."""
    assert isinstance(tree, MappingTree)
    if "input" in values and "inputs" in values:
        reader.note("wrong-value", "a spec has either 'input' or 'inputs'", tree.span, help="remove one of them")
        return None
    if "input" in values:
        return (values["input"],)
    if values.get("inputs"):
        return tuple(values["inputs"].values())
    if tree.get("input") is None and tree.get("inputs") is None:
        reader.note("missing-key", "a spec needs 'input'", tree.span, help="input: [channels, height, width]")
    return None


def _expectations(
    reader: Reader, tree: Tree | None, variants: Mapping[str, Variant]
) -> tuple[Expected | None, dict[str, Expected]]:
    """What is expected of every variant, or of each by its name."""
    if tree is None:
        return None, {}
    if isinstance(tree, MappingTree) and variants and not any(key.text in EXPECT for key, _ in tree.entries):
        by_variant: dict[str, Expected] = {}
        for key, item in tree.entries:
            if key.text not in variants:
                help = did_you_mean(key.text, [*variants, *EXPECT])
                reader.note("unknown-variant", f"there is no variant '{key.text}'", key.span, help=help)
            elif (found := reader.attempt(lambda item: _expected(reader, "'expect'", item), item)) is not None:
                by_variant[key.text] = found
        return None, by_variant
    return reader.attempt(lambda tree: _expected(reader, "'expect'", tree), tree), {}


def _check_variants(reader: Reader, spec: Spec, tree: Tree) -> None:
    for variant in spec.variants.values():
        for name, value in variant.params.items():
            if name not in spec.params:
                reader.note(
                    "unknown-param",
                    f"'{variant.name}' sets '{name}', which is no param",
                    value.span,
                    help=did_you_mean(name, spec.params),
                )
    default = tree.get("default") if isinstance(tree, MappingTree) else None
    if default and spec.default is not None and spec.default not in spec.variants:
        help = did_you_mean(spec.default, spec.variants)
        reader.note("unknown-variant", f"there is no variant '{spec.default}'", default.span, help=help)
