"""The fingerprint changes with every op, attribute and edge, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec import zoo
from archspec.diagnostics import Source
from archspec.frontend.yaml.tree import parse
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ops import Op
from archspec.passes.fingerprint import fingerprint
from tests.frontend.specs import net
from tests.fuzzing.corpus import plain
from tests.random_networks.attributes import pools
from tests.random_networks.generator import generate
from tests.random_networks.text import text_of

RESNET = archspec.load("resnet50").graph


def with_op(scope: Scope, node: Node, op: Op) -> Scope:
    """The scope with another op in place of that of a node."""
    items = (with_op(item, node, op) if isinstance(item, Scope) else item for item in scope.items)
    return replace(scope, items=tuple(replace(item, op=op) if item is node else item for item in items))


def edited(graph: Graph, node: Node, name: str, value: object) -> Graph:
    """The graph with another value of an attribute."""
    assert isinstance(node.op, Op)
    return replace(graph, body=with_op(graph.body, node, node.op.with_attributes(**{name: value})))


def renamed(graph: Graph, random: Random) -> Graph:
    """The graph without scopes, with other names, and with its nodes in another order in which they can run."""
    values: dict[Value, Value] = {value: Value(f"in{i}", value.type) for i, value in enumerate(graph.inputs)}
    names = dict(zip((node.name for node in graph.nodes), random.sample(range(10**6), len(graph.nodes)), strict=True))
    waiting, items = list(graph.nodes), []
    done: set[str] = set()
    while waiting:
        ready = [node for node in waiting if values.keys() >= {*node.inputs} and node.owner in (None, *done)]
        node = random.choice(ready)
        waiting.remove(node)
        done.add(node.name)
        values |= {value: Value(f"v{names[node.name]}.{i}", value.type) for i, value in enumerate(node.outputs)}
        owner = None if node.owner is None else f"v{names[node.owner]}"
        inputs, outputs = (tuple(values[value] for value in some) for some in (node.inputs, node.outputs))
        items.append(replace(node, name=f"v{names[node.name]}", inputs=inputs, outputs=outputs, owner=owner))
    outputs = tuple(Output(f"y{i}", values[each.value], each.training_only) for i, each in enumerate(graph.outputs))
    body = Scope("network", "", tuple(items), (), ())
    return Graph("other", tuple(values[value] for value in graph.inputs), body, outputs)


def meant(value: object) -> object:
    """Sizes and pads of the axes of an image; other values as they are."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [[value, value]] * 2
    if value == "valid":
        return [[0, 0]] * 2
    return (
        [list(each) if isinstance(each, tuple) else [each] * 2 for each in value] if isinstance(value, tuple) else value
    )


CHANGES = [
    (node, name, value)
    for node in RESNET.nodes
    for name in (node.op.attributes() if isinstance(node.op, Op) else ())
    for value in pools(node.op.kind)[name]
    if meant(value) != meant(getattr(node.op, name))
]


def test_there_are_changes_of_every_attribute_of_resnet50() -> None:
    changed = {(node.name, name) for node, name, _ in CHANGES}
    assert changed == {(node.name, name) for node in RESNET.nodes for name in node.op.attributes()}  # type: ignore[attr-defined]
    assert Counter(node.op.kind for node in RESNET.nodes)["conv"] == 53


@given(st.sampled_from(CHANGES))
@settings(max_examples=200, deadline=None)
def test_a_change_of_any_attribute_of_any_layer_of_resnet50_changes_it(change: tuple[Node, str, object]) -> None:
    assert fingerprint(edited(RESNET, *change)) != fingerprint(RESNET)


def test_a_change_of_the_same_attribute_elsewhere_gives_another_one() -> None:
    found = {fingerprint(edited(RESNET, node, "bias", True)) for node in RESNET.nodes if node.op.kind == "conv"}
    assert len(found) == 53


@given(st.integers(0, 500), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_names_scopes_and_the_order_of_unrelated_layers_do_not_count(seed: int, random: Random) -> None:
    graph = archspec.parse(text_of(generate(seed))).graph
    assert fingerprint(renamed(graph, random)) == fingerprint(graph)


@pytest.mark.parametrize("name", ["resnet", "unet", "googlenet", "vit", "faster_rcnn", "fractalnet"])
def test_the_layout_of_a_spec_does_not_count(name: str) -> None:
    path = zoo.folder() / f"{name}.yaml"
    tree = plain(parse(Source(path.name, path.read_text("utf-8")))[0])
    tree["name"] = "other"
    del tree["expect"]
    text = yaml.safe_dump({key: tree[key] for key in sorted(tree)}, sort_keys=False, width=40)
    assert "#" not in text
    for variant in [*tree.get("variants", {})][:2] or [None]:
        given = archspec.load(f"{path}:{variant}" if variant else path)
        assert archspec.parse(text, variant=variant).facts.fingerprint == given.facts.fingerprint


CONV = "conv: {channels: 4, kernel: 3, padding: 1"

EQUAL = {
    "defaults": (f"- {CONV}}}", f"- {CONV}, stride: 1, groups: 1, bias: true}}"),
    "the stride of a pooling": ("- max_pool: 2", "- max_pool: {kernel: 2, stride: 2}"),
    "one entry per axis": (
        f"- {CONV}}}",
        "- conv: {channels: 4, kernel: [3, 3], padding: [[1, 1], 1], stride: [1, 1]}",
    ),
    "no padding": ("- max_pool: 2", "- max_pool: {kernel: [2, 2], padding: valid, stride: 2}"),
    "the number of axes": ("- upsample: {scale: 2, mode: linear}", "- upsample: {scale: [2, 2], mode: bilinear}"),
    "names": (f"- {CONV}, name: a}}\n- relu: {{from: a}}", f"- {CONV}}}\n- relu"),
    "structures": ("- relu\n- tanh", "- sequential: {name: s, layers: [relu, repeat: {times: 1, layers: [tanh]}]}"),
    "expressions": ("- conv: {channels: 8, kernel: 1}", "- conv: {channels: 2 * in.channels, kernel: 4 - 3}"),
    "a whole number": ("- leaky_relu: 1", "- leaky_relu: 1.0"),
    "a shortcut": ("- relu: {name: a}\n- add: [prev, input]", "- residual: [relu]"),
    "initial values": (f"- {CONV}}}", f"- {CONV}, init: orthogonal}}"),
    "unrelated layers": (
        "- relu: {name: a, from: input}\n- tanh: {name: b, from: input}\n- add: [a, b]",
        "- tanh: {name: b, from: input}\n- relu: {name: a, from: input}\n- add: [a, b]",
    ),
    "the order of unused layers": (
        f"- relu: {{name: a}}\n- {CONV}, from: input}}\n- linear: {{from: input, features: 2}}\n- tanh: {{from: a}}",
        f"- relu: {{name: a}}\n- linear: {{from: input, features: 2}}\n- {CONV}, from: input}}\n- tanh: {{from: a}}",
    ),
}

SPLIT = "- split: {name: s, parts: 2}\n"

DIFFERENT = {
    "an op": ("- relu", "- silu"),
    "dilation with padding": (f"- {CONV}}}", "- conv: {channels: 4, kernel: 3, padding: 2, dilation: 2}"),
    "pads of one axis": ("- pad: [1, 2]", "- pad: [[1, 2], [1, 2]]"),
    "an edge": ("- relu: {name: a}\n- tanh\n- add: [prev, a]", "- relu: {name: a}\n- tanh\n- add: [prev, input]"),
    "the order of inputs": ("- tanh\n- concat: [prev, input]", "- tanh\n- concat: [input, prev]"),
    "a port": (SPLIT + "- relu: {from: s.0}", SPLIT + "- relu: {from: s.1}"),
    "one layer read twice": (
        f"- {CONV}, name: a}}\n- add: [a, a]",
        f"- {CONV}, name: a}}\n- {CONV}, name: b, from: input}}\n- add: [a, b]",
    ),
    "shared weights": (f"- {CONV}, name: a}}\n- {CONV}}}", f"- {CONV}, name: a}}\n- {CONV}, share: a}}"),
    "frozen weights": (f"- {CONV}}}", f"- {CONV}, trainable: false}}"),
    "fixed weights": (f"- {CONV}, bias: false, weight: 1}}", f"- {CONV}, bias: false, weight: 2}}"),
    "a crop": ("- parallel: {paths: [[], [relu]]}", "- parallel: {align: center_crop, paths: [[], [relu]]}"),
    "a layer for training": ("- relu", "- relu\n- side: {training_only: true, layers: [linear: 4]}"),
    "an unused layer": ("- relu", "- linear: {features: 5}\n- relu: {from: input}"),
}


def of(layers: str) -> str:
    return net(layers).facts.fingerprint


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_equal(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_inputs_and_outputs_count() -> None:
    layers = "- relu: {name: a}\n- tanh: {name: b}"
    heads: Mapping[str, str] = {"input": "[4, 8, 8]", "other": "[4, 8, 9]"}
    found = [net(layers, input=size).facts.fingerprint for size in heads.values()]
    found += [net(layers, tail=f"outputs: {names}").facts.fingerprint for names in ("[a]", "[a, b]", "[b, a]")]
    assert len({*found}) == len(found)
    assert net(layers, tail="outputs: {x: a, y: b}").facts.fingerprint == found[3]


def test_networks_of_the_zoo_with_equal_parameters_differ() -> None:
    assert archspec.load("resnet50").facts.fingerprint != archspec.load("resnet50_v1").facts.fingerprint


KNOWN = {"lenet5": "v1-e9345cb1c2ce", "resnet50": "v1-5738233999e6"}
"""As first written. If the algorithm changes, so does its `VERSION`."""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_it_depends_on_no_hash_seed(seed: str) -> None:
    code = f"import archspec; print({{name: archspec.load(name).facts.fingerprint for name in {[*KNOWN]}}})"
    root = Path(archspec.__file__).parent.parent
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == str(KNOWN)
