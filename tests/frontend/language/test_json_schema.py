"""The JSON Schema accepts whatever `check` accepts."""

from __future__ import annotations

from typing import Any

import pytest

from archspec import zoo
from archspec.diagnostics import Source
from archspec.frontend.yaml.tree import parse
from archspec.loading import check_source
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


def test_the_zoo_and_random_networks_are_valid() -> None:
    accepted = [path.read_text("utf-8") for path in zoo.files()]
    accepted += [text for text in texts() if "name: random" in text]
    for text in accepted:
        assert not errors(plain(parse(Source("a.yaml", text))[0])), text


@pytest.mark.parametrize(
    "text", ["input: {sizes: [3]}\nlayers: []", "input: [3]\nlayers: [conv: {chanels: 3}]", "input: [3]"]
)
def test_unknown_and_missing_keys_are_not_valid(text: str) -> None:
    assert errors(plain(parse(Source("a.yaml", HEAD + text))[0]))
