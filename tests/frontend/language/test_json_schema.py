"""The JSON Schema accepts whatever `check` accepts, and rejects what is wrong whatever the values are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archspec import zoo
from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.language.json_schema import schema
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.yaml.tree import decode, parse
from archspec.loading import check_source
from archspec.ops import OPS, InvalidAttributes, Op
from archspec.ops.attribute_schema import attribute_schemas
from tests.fuzzing.corpus import plain, texts
from tests.fuzzing.texts import validator

HEAD = "archspec: 1\nname: a\n"

SPECS = {
    "a shape that is a param": "params: {shape: [3, 8, 8]}\ninput: shape\nlayers: [relu]",
    "several inputs": "inputs: {a: size, b: {shape: size}}\nparams: {size: [3]}\nlayers: [relu: {from: a}]",
    "options that are expressions": "input: [3]\nparams: {n: 4}\nlayers: [linear: n]\n"
    "init: {linear: {weight: {uniform: {low: -1 / sqrt(n), high: 1 / n}}, bias: {normal: {std: n ** -0.5}}}}",
    "names that are numbers or booleans": "input: [3]\nlayers: [relu: {name: true}, relu: {name: 1}, add: [true, 1]]",
}


def errors(tree: Any) -> list[str]:
    return [error.message for error in validator().iter_errors(tree)]


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_a_valid_spec_is_valid_in_an_editor(text: str) -> None:
    source = Source("a.yaml", HEAD + text)
    assert not [found.render() for found in check_source(source) if found.severity == "error"]
    assert not errors(plain(parse(source)[0]))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_zoo_and_random_networks_are_valid() -> None:
    accepted = [path.read_text("utf-8") for path in zoo.folder().rglob("*.yaml")]
    accepted += [text for text in texts() if "name: random" in text]
    for text in accepted:
        assert not errors(plain(parse(Source("a.yaml", text))[0])), text


CALL = "input: [3]\nlayers: [thing: {}]"

INVALID = {
    "an unknown key": "input: {sizes: [3]}\nlayers: []",
    "an unknown attribute": "input: [3]\nlayers: [conv: {chanels: 3}]",
    "no layers": "input: [3]",
    "no input": "layers: [relu]",
    "two kinds of input": "input: [3]\ninputs: {a: [3]}\nlayers: [relu]",
    "an unknown op": CALL,
    "an unknown word": "input: [3]\nlayers: [thing]",
    "an unknown op in a structure": "input: [3]\nlayers: [residual: [thing: {}]]",
    "an unknown op in a path": "input: [3]\nlayers: [parallel: {paths: [[thing]]}]",
    "an op without what it needs": "input: [3]\nlayers: [linear]",
    "an unknown key of expect": "input: [3]\nlayers: [relu]\nexpect: {parameters: 3}",
    "expect by variant without variants": "input: [3]\nlayers: [relu]\nexpect: {small: {params: 3}}",
    "an unknown key of a variant's expect": "input: [3]\nvariants: {a: {}}\nlayers: [relu]\nexpect: {a: {parms: 3}}",
    "a file of blocks without blocks": "params: {a: 3}",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_what_is_wrong_whatever_the_values_are_is_not_valid(text: str) -> None:
    assert errors(plain(parse(Source("a.yaml", HEAD + text))[0]))


@pytest.mark.parametrize("blocks", ["blocks: {thing: {layers: [relu]}}", "import: parts.yaml"])
def test_a_file_that_has_blocks_may_call_them(blocks: str) -> None:
    assert not errors(plain(parse(Source("a.yaml", f"{HEAD}{blocks}\n{CALL}"))[0]))


class Thing(Op):
    """An op of a plugin, with a type that only pydantic knows."""

    kind = "thing"
    names: dict[str, int] = {}


def test_ops_of_plugins_are_known() -> None:
    plugin = type(pytest)("things")
    plugin.__dict__["OPS"] = [Thing]
    tree = plain(parse(Source("a.yaml", HEAD + CALL))[0])
    assert errors(tree)
    assert Draft202012Validator(schema(OpRegistry([plugin]))).is_valid(tree)


# --- the corpus of faulty specs ---------------------------------------------------------------------------------------

FAULTY = Path(__file__).parent.parent.parent / "faulty"

OF_SCHEMA = {
    "wrong-version", "wrong-type", "wrong-value", "unknown-key", "missing-key", "missing-attribute", "unknown-op",
    "unknown-initializer", "bad-name", "name-taken",
}  # fmt: skip
"""The codes of errors in what is written, whatever the values are."""

NOT_OF_SCHEMA = {
    "blocks_argument_default": "the value of an expression",
    "blocks_computed_ops": "a computed op",
    "blocks_mistake_in_repeat": "the value of an expression",
    "blocks_wrong_arguments": "the value of an expression",
    "expressions_in": "the value of an expression",
    "expressions_too_long": "the value of an expression",
    "expressions_types": "the value of an expression",
    "imports_names": "names of imported blocks",
    "limits_output": "the value of an expression",
    "names_bad_computed": "computed names",
    "names_bad_inputs_and_paths": "computed names",
    "names_outputs_renamed": "computed names",
    "networks_imported": "what an imported file holds",
    "networks_read": "a computed op",
    "names_unknown_callee": "a computed op",
    "names_unknown_ops": "names of blocks",
    "references_lists": "computed names",
    "several_bad_conditions": "the value of an expression",
    "shapes_of_initializers": "shapes of weights",
    "share_of_other_op": "the op of another layer",
    "share_weights_values": "shapes of weights",
    "types_of_initial_values": "the range of float32",
    "variants_none_given": "the value of a param",
    "variants_one_is_wrong": "the value of a param",
    "yaml_off_for_argument": "the value of an argument",
}
"""Faulty specs with such a code that are valid all the same, each with what the fault depends on."""


def faulty() -> Iterator[tuple[str, set[str], Any]]:
    """Each spec of the corpus that is YAML, with the codes of its errors."""
    for path in sorted(FAULTY.glob("*.yaml")):
        try:
            tree, faults = parse(decode(path.name, path.read_bytes()))
        except ArchspecError:
            continue
        if not faults:
            yield (
                path.stem,
                set(re.findall(r"error\[([\w-]+)\]", path.with_suffix(".txt").read_text("utf-8"))),
                plain(tree),
            )


def test_faulty_specs_are_valid_only_if_their_fault_is_not_one_of_schema() -> None:
    valid = {name for name, codes, tree in faulty() if codes & OF_SCHEMA and validator().is_valid(tree)}
    assert valid == NOT_OF_SCHEMA.keys(), (
        "reject it in json_schema.py, or add to NOT_OF_SCHEMA what its fault depends on"
    )


def test_specs_of_the_corpus_without_errors_are_valid() -> None:
    assert [name for name, codes, tree in faulty() if not codes and not validator().is_valid(tree)] == []


# --- attributes -------------------------------------------------------------------------------------------------------

VALUES = (
    0, 1, -1, 2**40, 2**40 + 1, 0.5, 1.0, -0.5, 1e39, True, None, "same", "nearest", [], [1], [1, 1], [0, -1],
    [1, 1, 1], [[1, 0]], [[1, 0], 2], [[1, 1, 1]], [0.5], [None], [True], [[[1]]],
)  # fmt: skip
"""Values within and beyond the types of attributes."""


def as_tuples(value: Any) -> Any:
    """A value as the language has it: whole numbers are integers, and lists are tuples."""
    if isinstance(value, list):
        return tuple(map(as_tuples, value))
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.kind)
def test_an_attribute_is_valid_if_the_op_accepts_it(op: type[Op]) -> None:
    nothing = {"enum": []}  # no expressions, which all texts may be
    for name, values in attribute_schemas(op, nothing).items():
        for value in VALUES:
            try:
                op(**{name: as_tuples(value)})
                rejected = False
            except InvalidAttributes as error:
                rejected = name in error.names
            assert Draft202012Validator(values).is_valid(value) is not rejected, (name, value)
