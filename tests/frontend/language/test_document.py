"""Which keys a spec has, and the typed form it is read into. The wording of messages is tested in `tests/faulty`."""

from __future__ import annotations

import pytest

from archspec.diagnostics import Diagnostic, Source
from archspec.frontend.language.blocks import BLOCK
from archspec.frontend.language.document import SPEC
from archspec.frontend.language.expect import EXPECT, LAYER_FACTS
from archspec.frontend.language.fields import ConstantField, InvalidField
from archspec.frontend.language.files import read
from archspec.frontend.language.reader import Key
from archspec.frontend.language.spec import BrokenStep, OpStep, Spec
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.frontend.language.weight_options import WEIGHT_KEYS
from archspec.ir.types import DType

SHORT = "archspec: 1\nname: net\ninput: [3, 32, 32]\nlayers: [relu]\n"


def result(text: str) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    return read(Source("net.yaml", text))


def spec(text: str) -> Spec:
    found, faults = result(text)
    assert faults == (), "\n".join(fault.render() for fault in faults)
    assert found is not None
    return found


def codes(text: str) -> list[str]:
    return [fault.code for fault in result(text)[1]]


def test_the_smallest_spec():
    found = spec(SHORT)
    assert (found.name, found.summary, found.reference, found.default) == ("net", "", "", None)
    assert [(given.name, given.shape.evaluate({}), given.dtype) for given in found.inputs] == [
        ("input", (3, 32, 32), DType.FLOAT32)
    ]
    (step,) = found.layers
    assert isinstance(step, OpStep)
    assert step.op.kind == "relu"
    assert (found.params, found.variants, found.blocks, found.outputs) == ({}, {}, {}, ())
    assert (found.expect, found.expect_variants, found.initializers, found.allowed) == (None, {}, {}, frozenset())


WHOLE = """\
archspec: 1
name: family-1.0
summary: a family
reference: "somebody, 1998"
params: {width: 8, kind: basic, sizes: [1, 2], twice: 2 * width}
variants:
  small: {width: 4, summary: the small one, reference: "them, 2001"}
  plain:
default: small
inputs: {image: [3, 32, 32], tokens: {shape: 5, dtype: int64}}
blocks:
  one: {args: [x, y], layers: [linear: x]}
  two: {args: {x: ~, y: 3, z: y}, naming: index, layers: []}
layers: [relu: {from: image}]
outputs: {logits: relu, second: two.0}
init: {conv: zeros, linear: {bias: 0.5}}
rename: {"old.*.conv": "*.conv", stem: relu}
allow: [bias-before-norm, heavy-layer]
expect:
  small: {source: table 1, params: 10, output: [3], outputs: {a: 3}, layers: {relu: {shape: [3], receptive_field: 1}}}
"""


def test_a_spec_with_every_key():
    found = spec(WHOLE)
    assert (found.name, found.summary, found.reference, found.default) == (
        "family-1.0",
        "a family",
        "somebody, 1998",
        "small",
    )
    assert list(found.params) == ["width", "kind", "sizes", "twice"]
    small = found.variants["small"]
    assert (small.summary, small.reference, list(small.params)) == ("the small one", "them, 2001", ["width"])
    assert found.variants["plain"].params == {}
    assert [(given.name, given.dtype.value) for given in found.inputs] == [("image", "float32"), ("tokens", "int64")]
    one, two = found.blocks.values()
    assert one is not None
    assert two is not None
    assert (one.arguments, one.indexed, two.indexed) == ({"x": None, "y": None}, False, True)
    assert [value and value.evaluate({"y": 1}) for value in two.arguments.values()] == [None, 3, 1]
    assert [(given.name.constant, given.source.constant) for given in found.outputs] == [
        ("logits", "relu"),
        ("second", "two.0"),
    ]
    assert found.initializers["conv"]["weight"].kind == "zeros"
    assert found.initializers["linear"]["bias"].kind == "constant"
    assert [(rule.old, rule.new) for rule in found.rename] == [
        (("old", "*", "conv"), ("*", "conv")),
        (("stem",), ("relu",)),
    ]
    assert found.allowed == {"bias-before-norm", "heavy-layer"}
    expected = found.expect_variants["small"]
    assert expected.source == "table 1"
    assert list(expected.facts) == ["params", "output"]
    assert list(expected.outputs) == ["a"]
    assert list(expected.layers["relu"][1]) == ["shape", "receptive_field"]


def test_expectations_are_for_all_variants_or_by_variant():
    assert spec(SHORT + "variants: {a: {}}\nexpect: {params: 3}\n").expect is not None
    assert list(spec(SHORT + "variants: {a: {}}\nexpect: {a: {params: 3}}\n").expect_variants) == ["a"]
    assert codes(SHORT + "expect: {a: {params: 3}}\n") == ["unknown-key"]
    assert codes(SHORT + "variants: {a: {}}\nexpect: {params: 3, a: {params: 3}}\n") == ["unknown-key"]


def test_outputs_can_be_one_word():
    assert [given.name.constant for given in spec(SHORT + "outputs: relu\n").outputs] == ["relu"]


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "archspec: 1", SHORT.replace("layers: [relu]", ""), SHORT.replace("[relu]",
        "relu"), SHORT + "params: 3\n",
        SHORT + "blocks: [a]\n", SHORT + "variants: []\n", SHORT + "a: [",
        "layers: [repeat: {times: 1000000, layers: [relu]}]\n",
    ],
)  # fmt: skip
def test_there_may_be_nothing_to_go_on_with(text):
    found, faults = result(text)
    assert found is None
    assert faults


def test_what_can_be_read_is_read():
    found, faults = result(
        "name: net\nparams: {a: 1 +, b: 2}\nlayers: [convv, relu]\nblocks: {x: {layers: 3}, y: {layers: []}}\n"
    )
    assert sorted(fault.code for fault in faults) == [
        "bad-expression",
        "missing-key",
        "missing-key",
        "unknown-op",
        "wrong-type",
    ]
    assert found is not None
    assert isinstance(found.params["a"], InvalidField)
    assert isinstance(found.params["b"], ConstantField)
    assert [isinstance(step, BrokenStep) for step in found.layers] == [True, False]
    assert found.blocks["x"] is None
    assert found.blocks["y"] is not None
    assert isinstance(found.inputs[0].shape, InvalidField)


@pytest.mark.parametrize(
    "block",
    ["3", "{layers: [relu], other: 1}", "{args: [1], layers: []}", "{args: [a, a], layers: []}",
    "{args: [name], layers: []}", "{}",
     "{layers: [x]}", "{args: {a: 1 +}, layers: []}", "{naming: numbers, layers: []}"],
)  # fmt: skip
def test_a_block_that_is_not_understood_is_known_by_name_alone(block):
    found, faults = result(SHORT + f"blocks: {{x: {block}, y: {{layers: [x]}}}}\n")
    assert len(faults) == 1
    assert found is not None
    assert found.blocks["x"] is None
    assert found.blocks["y"] is not None


@pytest.mark.parametrize("name", ["net", "resnet-18", "vgg16.bn", "a+b", "1998", "A_b"])
def test_names_of_networks(name):
    assert spec(SHORT.replace("name: net", f"name: {name}")).name == name


@pytest.mark.parametrize("name", ["my net", "", "-x", ".x", "a/b", "a:b", "é", "x" * 101, "[a]", "~"])
def test_what_no_network_is_called(name):
    (code,) = codes(SHORT.replace("name: net", f'name: "{name}"' if name not in ("[a]", "~") else f"name: {name}"))
    assert code in ("bad-name", "wrong-type")


def all_keys() -> list[tuple[str, Key]]:
    groups = [SPEC, BLOCK, EXPECT, LAYER_FACTS, WEIGHT_KEYS, *(construct.keys for construct in CONSTRUCTS.values())]
    return [(name, key) for group in groups for name, key in group.items()]


@pytest.mark.parametrize(("name", "key"), all_keys(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_says_what_it_is_for(name, key):
    assert key.doc, name
    assert key.doc[0].islower() or key.doc[0] == "`", "it follows the name of the key"
    assert key.schema, name
