"""The language: which keys a spec has, what may stand under each, and the typed form it is read into."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from archspec.codes import CODES
from archspec.diagnostics import ArchspecError, Diagnostic, Source, did_you_mean, fail, nearest
from archspec.frontend import source as yaml
from archspec.frontend import written
from archspec.frontend.expansion import layers_at_least, loops
from archspec.frontend.expected import expectations
from archspec.frontend.reader import Key, Keys, Reader, complete, describe, is_whole
from archspec.frontend.source import List, Scalar, Tree
from archspec.frontend.source import Mapping as MappingTree
from archspec.frontend.spec import Block, Input, Returned, Spec, Start, Variant
from archspec.frontend.steps import COMMON, NAMING, OP_KINDS, STRUCTURES, SpecReader, layers
from archspec.frontend.weighing import starts
from archspec.frontend.words import check_name, reference, title, variable
from archspec.frontend.written import Lost, Written
from archspec.ir.types import DType

VERSION = 1
"""The version of the language, which a spec names first: `archspec: 1`."""

T = TypeVar("T")


# --- what stands under the keys -------------------------------------------------------------------------------------


def _version(reader: Reader, tree: Tree) -> int:
    if not isinstance(tree, Scalar) or tree.value != VERSION or isinstance(tree.value, bool):
        message = f"'archspec' is the version of the language, {VERSION}, not {describe(tree)}"
        raise fail("wrong-version", message, tree.span, help=f"write archspec: {VERSION}")
    return VERSION


def _text(what: str) -> Callable[[Reader, Tree], str]:
    return lambda reader, tree: reader.text(f"'{what}'", tree)


def _number(reader: Reader, tree: Tree) -> Written:
    return written.number(tree)


def _named(
    what: str, read: Callable[[Reader, Scalar, Tree], T], lost: Callable[[Scalar], T] | None = None
) -> Callable[[Reader, Tree], dict[str, T]]:
    """Reads a mapping from names to what `read` makes of their values, or `lost` of those that cannot be read."""

    def read_all(reader: Reader, tree: Tree) -> dict[str, T]:
        found: dict[str, T] = {}
        for key, item in reader.mapping(f"'{what}'", tree):
            value = reader.attempt(partial(read, reader, key), item)
            if value is not None:
                found[key.text] = value
            elif lost is not None:
                found[key.text] = lost(key)
        return found

    return read_all


def _param(reader: Reader, key: Scalar, tree: Tree) -> Written:
    variable(reader, key)
    if key.text in _VARIANT:
        message = f"a param cannot be called '{key.text}', because variants have a key of that name"
        raise fail("name-taken", message, key.span, help="choose another name")
    return written.value(tree)


def _lost(key: Scalar) -> Written:
    return Lost(key.span)


_VARIANT: Keys = {
    "summary": Key(_text("summary"), "one line about the variant", {"type": "string"}),
    "reference": Key(_text("reference"), "where the variant was published", {"type": "string"}),
}


def _variant(reader: Reader, key: Scalar, tree: Tree) -> Variant:
    reader.attempt(partial(title, reader, what="the name of a variant"), key)
    entries = () if isinstance(tree, Scalar) and tree.value is None else reader.mapping("a variant", tree)
    others = [scalar.text for scalar, _ in entries if scalar.text not in _VARIANT]
    values = reader.keys("a variant", tree, _VARIANT, others=others) if entries else {}
    assert isinstance(reader, SpecReader)
    params: dict[str, Written] = {}
    for scalar, item in entries:
        if reader.params is None or scalar.text in reader.params:
            params[scalar.text] = reader.attempt(written.value, item) or Lost(item.span)
        elif scalar.text not in _VARIANT:
            help = did_you_mean(scalar.text, [*sorted(reader.params), *_VARIANT])
            reader.note(
                "unknown-param", f"'{key.text}' sets '{scalar.text}', which is no param", scalar.span, help=help
            )
    return Variant(key.text, key.span, params, values.get("summary"), values.get("reference"))


def _dtype(reader: Reader, tree: Tree) -> DType:
    return DType(reader.choice("'dtype'", tree, list(DType)))


_INPUT: Keys = {
    "shape": Key(_number, "its sizes without the batch axis", {"$ref": "#/$defs/number"}, required=True),
    "dtype": Key(_dtype, "its elements", {"enum": list(DType)}),
}


_BY_X = re.compile(r"[0-9]+(x[0-9]+)+")


def _input(reader: Reader, key: Scalar, tree: Tree) -> Input:
    check_name(key.text, key.span)
    if isinstance(tree, Scalar) and _BY_X.fullmatch(tree.text):
        help = f"write {key.text}: [{tree.text.replace('x', ', ')}]"
        raise fail("wrong-type", "the shape of an input is a list of numbers", tree.span, help=help)
    if not isinstance(tree, MappingTree):
        return Input(key.text, written.number(tree), DType.FLOAT32)
    values = reader.keys("an input", tree, _INPUT)
    return Input(key.text, values.get("shape") or Lost(tree.span), values.get("dtype", DType.FLOAT32))


def _only_input(reader: Reader, tree: Tree) -> Input:
    return _input(reader, Scalar("input", "input", True, tree.span), tree)


def _lost_input(key: Scalar) -> Input:
    return Input(key.text, Lost(key.span), DType.FLOAT32)


def _block(reader: Reader, key: Scalar, tree: Tree) -> Block | None:
    if key.text in OP_KINDS or key.text in STRUCTURES:
        kind = "an op" if key.text in OP_KINDS else "a structure"
        reader.note("name-taken", f"'{key.text}' is {kind} of the language", key.span, help="choose another name")
    else:
        reader.attempt(partial(variable, reader, what="the name of a block"), key)
    if not isinstance(tree, MappingTree):
        help = f"write {key.text}: {{layers: [...]}}"
        raise fail("wrong-type", f"a block is a mapping, not {describe(tree)}", tree.span, help=help)
    values = reader.keys(f"the block '{key.text}'", tree, BLOCK)
    if not complete(tree, values) or "layers" not in values:
        return None
    return Block(key.text, key.span, values.get("args", {}), values["layers"], values.get("naming", False))


def _lost_block(key: Scalar) -> Block | None:
    return None


def _arguments(reader: Reader, tree: Tree) -> dict[str, Written | None]:
    if isinstance(tree, Scalar):
        message = f"'args' is a list of names, or names with defaults, not {describe(tree)}"
        raise fail("wrong-type", message, tree.span, help="write args: [width], or args: {width: 64}")
    entries = [(item, None) for item in tree.items] if isinstance(tree, List) else list(tree.entries)
    found: dict[str, Written | None] = {}
    for key, item in entries:
        name = variable(reader, key)
        if name in COMMON or name == "share":
            message = f"an argument cannot be called '{name}', because every call has a key of that name"
            raise fail("name-taken", message, key.span, help="choose another name")
        if name in found:
            raise fail("duplicate-name", f"'{name}' stands here twice", key.span, help="remove one of them")
        needed = item is None or (isinstance(item, Scalar) and item.value is None)
        found[name] = None if needed or item is None else written.value(item)
    return found


BLOCK: Keys = {
    "args": Key(_arguments, "its arguments: a list of names, or names with defaults (~ for none)",
                {"type": ["array", "object"]}),
    **NAMING,
    "layers": Key(layers, "its layers", {"$ref": "#/$defs/layers"}, required=True),
}  # fmt: skip
"""The keys of a block."""


def _outputs(reader: Reader, tree: Tree) -> tuple[Returned, ...]:
    if isinstance(tree, MappingTree):
        entries = [(key, item) for key, item in tree.entries]
        for key, _ in entries:
            check_name(key.text, key.span)
    else:
        items = tree.items if isinstance(tree, List) else (tree,)
        entries = [(reader.scalar("an output", item), item) for item in items]
    if not entries:
        raise fail("wrong-value", "'outputs' names no value", tree.span, help="name one, or leave 'outputs' out")
    found: list[Returned] = []
    for key, item in entries:
        if any(key.text == before.name for before in found):
            raise fail("duplicate-name", f"'{key.text}' is returned twice", key.span, help="remove one of them")
        found.append(Returned(key.text, reference(reader, item)))
    return tuple(found)


def _codes(reader: Reader, tree: Tree) -> frozenset[str]:
    warnings = [code for code, about in CODES.items() if about.severity == "warning"]
    found: set[str] = set()
    for item in tree.items if isinstance(tree, List) else (tree,):
        scalar = reader.scalar("a code", item)
        if scalar.text not in warnings:
            message = f"'{scalar.text}' is not the code of a warning"
            raise fail("wrong-value", message, scalar.span, help=did_you_mean(scalar.text, warnings))
        found.add(scalar.text)
    return frozenset(found)


def _starts_of_op(reader: Reader, key: Scalar, tree: Tree) -> Mapping[str, Start]:
    if key.text not in OP_KINDS:
        raise fail("unknown-op", f"there is no op '{key.text}'", key.span, help=did_you_mean(key.text, OP_KINDS))
    return starts(reader, tree)


def _as_it_stands(reader: Reader, tree: Tree) -> Tree:
    return tree


# --- the keys -------------------------------------------------------------------------------------------------------

SPEC: Keys = {
    "archspec": Key(_version, "the version of the language: 1", {"const": VERSION}, required=True),
    "name": Key(title, "what the network is called", {"type": "string"}, required=True),
    "summary": Key(_text("summary"), "one line about it", {"type": "string"}),
    "reference": Key(_text("reference"), "where it was published", {"type": "string"}),
    "params": Key(_named("params", _param, _lost),
                  "numbers, words and lists that expressions may name, with their defaults", {"type": "object"}),
    "variants": Key(_named("variants", _variant), "named sets of other values for params",
                    {"type": "object", "additionalProperties": {"type": ["object", "null"]}}),
    "default": Key(title, "the variant meant when none is named", {"type": "string"}),
    "input": Key(_only_input,
                 "the shape of the one input, without the batch axis", {"$ref": "#/$defs/input"}),
    "inputs": Key(_named("inputs", _input, _lost_input), "the inputs by name",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/input"}}),
    "blocks": Key(_named("blocks", _block, _lost_block), "the spec's own composites",
                  {"type": "object", "additionalProperties": {"$ref": "#/$defs/block"}}),
    "layers": Key(layers, "the network", {"$ref": "#/$defs/layers"}, required=True),
    "outputs": Key(_outputs, "what it returns; the last value unless given",
                   {"anyOf": [{"$ref": "#/$defs/names"}, {"type": "object"}]}),
    "init": Key(_named("init", _starts_of_op), "the distributions weights start from, by op",
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/init"}}),
    "allow": Key(_codes, "codes of warnings not to give", {"$ref": "#/$defs/names"}),
    "expect": Key(_as_it_stands, "what must come out, or that for each variant", {"type": "object"}),
}  # fmt: skip
"""The keys of a spec."""


def read(source: Source) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The typed form of a spec, as far as it can be read, and every mistake in it.

    None where too little is there to go on with: bad YAML, or no layers.
    """
    try:
        tree, faults = yaml.parse(source)
        reader = SpecReader(_names_under(tree, "params"), _names_under(tree, "blocks"))
        reader.diagnostics += faults
        spec = _spec(reader, source, tree)
    except ArchspecError as error:
        return None, error.diagnostics
    return spec, tuple(reader.diagnostics)


def _spec(reader: SpecReader, source: Source, tree: Tree) -> Spec | None:
    if not isinstance(tree, MappingTree):
        message = f"a spec is a mapping, not {describe(tree)}"
        raise fail("wrong-type", message, tree.span, help="a spec starts with `archspec: 1`")
    values = reader.keys("a spec", tree, SPEC)
    inputs = _inputs(reader, tree, values)
    if any(key in SPEC and key not in values for key in _FOUNDATIONS if key == "layers" or tree.get(key)):
        return None
    variants: dict[str, Variant] = values.get("variants", {})
    expect, by_variant = expectations(reader, values.get("expect"), variants)
    spec = Spec(
        source=source,
        name=values.get("name", "unnamed"),
        summary=values.get("summary", ""),
        reference=values.get("reference", ""),
        params=values.get("params", {}),
        variants=variants,
        default=_default(reader, tree, values.get("default"), variants),
        inputs=inputs,
        blocks=_without_loops(reader, values.get("blocks", {})),
        layers=values["layers"],
        outputs=values.get("outputs", ()),
        expect=expect,
        expect_variants=by_variant,
        starts=values.get("init", {}),
        allowed=values.get("allow", frozenset()),
    )
    if fault := layers_at_least(spec):
        reader.diagnostics.append(fault)
        return None
    return spec


_FOUNDATIONS = ("params", "variants", "blocks", "layers")
"""The keys without which there is nothing to build on, if they are there and cannot be read."""


def _names_under(tree: Tree, key: str) -> frozenset[str] | None:
    """The names of the spec's params or blocks; None where nobody can tell."""
    named = tree.get(key) if isinstance(tree, MappingTree) else None
    if isinstance(named, MappingTree) and named.whole:
        return frozenset(name.text for name, _ in named.entries)
    return frozenset() if named is None else None


def _without_loops(reader: Reader, blocks: Mapping[str, Block | None]) -> Mapping[str, Block | None]:
    """The blocks, those that call themselves without end taken for unreadable."""
    endless: dict[str, None] = {}
    for names, fault in loops(blocks):
        reader.diagnostics.append(fault)
        endless |= dict.fromkeys(names)
    return {**blocks, **endless}


def _inputs(reader: Reader, tree: Tree, values: Mapping[str, Any]) -> tuple[Input, ...]:
    """The inputs, under either key; one of unknown shape where they are missing or cannot be read."""
    assert isinstance(tree, MappingTree)
    written = {key.text: key for key, _ in tree.entries}
    if "input" in written and "inputs" in written:
        span = written["inputs"].span
        reader.note("wrong-value", "a spec has either 'input' or 'inputs'", span, help="remove one of them")
    elif "input" in values:
        return (values["input"],)
    elif values.get("inputs"):
        return tuple(values["inputs"].values())
    elif "inputs" in values:
        reader.note("missing-key", "'inputs' names no input", written["inputs"].span, help="write input: [3, 224, 224]")
    elif "input" not in written and "inputs" not in written and is_whole(tree) and not _misspelt(written, "input"):
        reader.note("missing-key", "a spec needs 'input'", tree.span, help="input: [channels, height, width]")
    return (Input("input", Lost(tree.span), DType.FLOAT32),)


def _misspelt(written: Iterable[str], key: str) -> bool:
    return any(name not in SPEC and nearest(name, (key,)) for name in written)


def _default(reader: Reader, tree: MappingTree, name: str | None, variants: Mapping[str, Variant]) -> str | None:
    """The variant meant when none is named, if there is such a one."""
    written = tree.get("default")
    if name is None or name in variants or written is None:
        return name
    help = did_you_mean(name, variants) or ("the spec has no variants" if not variants else None)
    reader.note("unknown-variant", f"there is no variant '{name}'", written.span, help=help)
    return None
