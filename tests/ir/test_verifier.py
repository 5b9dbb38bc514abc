"""The verifier accepts what the compiler builds and rejects corrupt graphs, naming what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

import archspec
from archspec import zoo
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import DType, Initializer, TensorType, Weight
from archspec.ir.verifier import verify
from archspec.ops import Op
from tests.op_samples import GOOD, Sample

NAMES = sorted(name for name, _ in zoo.names())

SPEC = """
archspec: 1
name: small
input: [3, 8, 8]
blocks:
  unit:
    layers:
      - conv: {name: conv, channels: 4, kernel: 3, padding: 1}
      - batch_norm: {name: norm}
layers:
  - conv: {name: a, channels: 4, kernel: 3, padding: 1}
  - unit: {name: u}
  - unit: {name: v, share: u}
  - side: {name: aux, training_only: true, layers: [flatten, linear: {name: fc, features: 2}]}
  - batch_norm: {name: n}
  - residual: {name: r, layers: [conv: {name: b, channels: 4, kernel: 1}]}
  - split: {name: parts, sizes: [1, 3]}
outputs: {main: r, first: parts.0, rest: parts.1, aux: aux}
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_network_of_the_zoo_is_valid(name: str) -> None:
    verify(archspec.load(name).graph)


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_every_op_sample_is_valid(sample: Sample) -> None:
    verify(sample.graph)


# --- corruption ---

Item = Node | Scope
Change = Callable[[Graph], Graph]


def mapped(graph: Graph, change: Callable[[Item], list[Item]]) -> Graph:
    """The graph with each node and scope replaced by a list of others, from the inside out."""

    def scope(old: Scope) -> Scope:
        items = [scope(item) if isinstance(item, Scope) else item for item in old.items]
        return replace(old, items=tuple([new for item in items for new in change(item)]))

    return replace(graph, body=scope(graph.body))


def changed(name: str, /, **fields: object) -> Change:
    """Changes fields of the node or the scope of a name."""

    def one(item: Item) -> list[Item]:
        return [replace(item, **fields)] if item.name == name else [item]

    return lambda graph: mapped(graph, one)


def replaced(name: str, change: Callable[[Item], list[Item]]) -> Change:
    return lambda graph: mapped(graph, lambda item: change(item) if item.name == name else [item])


def with_weight(node: str, index: int, /, **fields: object) -> Change:
    """Changes one weight of a node."""

    def change(item: Item) -> list[Item]:
        assert isinstance(item, Node)
        weights = list(item.weights)
        weights[index] = replace(weights[index], **fields)
        return [replace(item, weights=tuple(weights))]

    return replaced(node, change)


def with_op(name: str, **attributes: object) -> Change:
    def change(item: Item) -> list[Item]:
        assert isinstance(item, Node)
        assert isinstance(item.op, Op)
        return [replace(item, op=item.op.with_attributes(**attributes))]

    return replaced(name, change)


def with_outputs(change: Callable[[tuple[Output, ...]], tuple[Output, ...]]) -> Change:
    """Changes the outputs of the graph, and those of its body with them."""

    def change_all(graph: Graph) -> Graph:
        outputs = change(graph.outputs)
        body = replace(graph.body, outputs=tuple(output.value for output in outputs))
        return replace(graph, outputs=outputs, body=body)

    return change_all


def with_body(**fields: object) -> Change:
    return lambda graph: replace(graph, body=replace(graph.body, **fields))


def reordered(graph: Graph) -> Graph:
    first, second, *others = graph.body.items
    return replace(graph, body=replace(graph.body, items=(second, first, *others)))


def moved_out(graph: Graph) -> Graph:
    """The nodes of a scope beside it, and the scope empty."""
    return mapped(
        graph, lambda item: [*item.items, replace(item, items=())] if _is_scope(item, "u") else [item]
    )  # fmt: skip


def reading_past_its_scope(graph: Graph) -> Graph:
    """A block whose second layer reads a value that is not an input of the block."""
    outside = graph.inputs[0]
    return mapped(graph, lambda item: [replace(item, inputs=(outside,))] if item.name == "u.conv" else [item])


def _is_scope(item: Item, name: str) -> bool:
    return isinstance(item, Scope) and item.name == name


STRANGER = Value("stranger", TensorType((4, 8, 8)))
EXTRA = Weight("extra", (1,), Initializer("zeros"))

CORRUPTIONS: dict[str, tuple[Change, str]] = {
    # scopes
    "a scope renamed": (changed("u", name="zz"), "'u.conv' is in the scope 'zz', which is not the prefix of its name"),
    "a scope with another's name": (changed("r", name="a"), "two nodes or scopes are named 'a'"),
    "a scope renamed too deep": (changed("u", name="x.u"), "the block scope 'x.u' is in no named scope"),
    "a scope without outputs": (changed("u", outputs=()), "the block scope 'u' has no outputs"),
    "a scope with unknown outputs": (changed("u", outputs=(STRANGER,)), "has the output 'stranger', which is not"),
    "a scope with unknown inputs": (changed("u", inputs=(STRANGER,)), "has the input 'stranger' before it is defined"),
    "a block without inputs": (changed("u", inputs=()), "'u.conv' reads 'a', which is neither inside the block"),
    "a block that reads past its inputs": (reading_past_its_scope, "'u.conv' reads 'input', which is neither inside"),
    "a block without a block": (changed("u", block=None), "the block scope 'u' does not name its block"),
    "a scope with an unknown owner": (changed("v", owner="w"), "shares the weights of 'w', which is not before it"),
    "a scope with an owner and weights": (changed("u", owner="a"), "but 'u.conv' in it owns weights"),
    "a scope twice": (replaced("u", lambda item: [item, item]), "'u' is in the graph twice"),
    "nodes beside their scope": (moved_out, "'u.conv' is in no named scope, which is not the prefix of its name"),
    "a body with a name": (with_body(name="net"), "its body is a network scope named 'net'"),
    "a body of another kind": (with_body(kind="block"), "its body is a block scope"),
    "a body without outputs": (with_body(outputs=()), "its body has the outputs (), the graph has (r.add, "),
    "a body without inputs": (with_body(inputs=()), "its body has the inputs (), the graph has (input)"),
    # nodes
    "a node dropped": (replaced("a", lambda item: []), "'u.conv' reads 'a' before it is defined"),
    "a node twice": (replaced("a", lambda item: [item, item]), "'a' is in the graph twice"),
    "a node copied": (replaced("a", lambda item: [item, replace(item)]), "two nodes or scopes are named 'a'"),
    "a node renamed": (changed("a", name="zz"), "'zz' has an output named 'a', not 'zz'"),
    "a node renamed out of its scope": (changed("u.norm", name="norm"), "'norm' is in the scope 'u'"),
    "nodes in another order": (reordered, "'u.conv' reads 'a' before it is defined"),
    "a node without inputs": (changed("a", inputs=()), "'a' has 0 inputs, and its op takes 1"),
    "a node with too many inputs": (
        lambda graph: changed("a", inputs=graph.inputs * 2)(graph), "'a' has 2 inputs, and its op takes 1"
    ),
    "a node without outputs": (changed("parts", outputs=()), "'parts' has 0 outputs, and its op has the ports 0, 1"),
    "a value defined twice": (
        lambda graph: changed("u.norm", outputs=graph.nodes[0].outputs)(graph), "'u.norm' defines 'a' a second time"
    ),
    "a type that is not inferred": (
        lambda graph: with_type(graph, "a", TensorType((4, 8, 8), DType.INT64)), "'a' has outputs of type"
    ),
    "an op that cannot take its inputs": (with_op("r.b", groups=3), "the op of 'r.b' cannot take its inputs"),
    # weights
    "weights missing": (changed("a", weights=()), "'a' has no weights, and its op declares the weights weight [4"),
    "a weight too many": (
        replaced("a", lambda item: [replace(item, weights=(*item.weights, EXTRA))]),
        "'a' has the weights weight [4, 3, 3, 3], bias [4], extra [1], and its op declares",
    ),
    "a weight of another dtype": (with_weight("a", 0, dtype=DType.INT64), "the weight of 'a' has dtype int64"),
    "a weight of another shape": (with_weight("a", 1, shape=(5,)), "the bias of 'a' has shape (5,)"),
    "a weight of another name": (with_weight("a", 1, name="weight"), "its op declares the weights weight"),
    "a weight as a buffer": (with_weight("a", 1, buffer=True), "the bias of 'a' has buffer True"),
    "a bare weight": (with_weight("a", 1, bare=True), "the bias of 'a' has bare True"),
    "a trainable buffer": (with_weight("n", 2, trainable=True), "the running_mean of 'n' is trainable"),
    "a buffer with another initializer": (
        with_weight("n", 2, initializer=Initializer("ones")), "is a buffer initialized with ones"
    ),
    "an unknown initializer": (with_weight("a", 0, initializer=Initializer("magic")), "unknown initializer 'magic'"),
    "an initializer without its options": (
        with_weight("a", 0, initializer=Initializer("normal")), "has the options [] for the initializer 'normal'"
    ),
    "an initializer that does not fit": (
        with_weight("a", 1, initializer=Initializer("orthogonal", {"gain": 1.0})), "'orthogonal' needs two axes"
    ),
    "fixed values that train": (
        with_weight("a", 1, initializer=Initializer("values", {"values": 1.0})), "has fixed values and is trainable"
    ),
    "an owner that is missing": (changed("v.conv", owner="none"), "'v.conv' shares the weights of 'none'"),
    "an owner with other weights": (changed("v.conv", owner="a"), "'v.conv' shares the weights of 'a', but has others"),
    "an owner without weights": (changed("r.add", owner="a"), "'r.add' shares the weights of 'a', but has others"),
    # outputs of the graph
    "no outputs": (with_outputs(lambda outputs: ()), "it has no outputs"),
    "two outputs of one name": (
        with_outputs(lambda outputs: (*outputs[:1], replace(outputs[1], name="main"), *outputs[2:])),
        "two outputs are named 'main'",
    ),
    "an output named as an input": (
        with_outputs(lambda outputs: (replace(outputs[0], name="input"), *outputs[1:])),
        "an input and an output are named 'input'",
    ),
    "an unknown output": (
        with_outputs(lambda outputs: (Output("unknown", STRANGER),)), "the output 'unknown' is the value 'stranger'"
    ),
    "a training output at inference": (
        with_outputs(lambda outputs: tuple(replace(output, training_only=False) for output in outputs)),
        "the output 'aux' is not marked as its layer is, which runs only while training",
    ),
}  # fmt: skip


def with_type(graph: Graph, name: str, type: TensorType) -> Graph:
    """A node whose output has another type, and its readers with it."""
    old = next(value for node in graph.nodes for value in node.outputs if value.name == name)
    new = replace(old, type=type)

    def swap(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(new if value is old else value for value in values)

    return mapped(graph, lambda item: [replace(item, inputs=swap(item.inputs), outputs=swap(item.outputs))])


def test_the_graph_is_valid_before_it_is_corrupted() -> None:
    verify(archspec.parse(SPEC).graph)


@pytest.mark.parametrize(("change", "message"), CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_corrupt_graph_is_rejected(change: Change, message: str) -> None:
    graph = archspec.parse(SPEC).graph
    corrupt = change(graph)
    assert corrupt is not graph
    with pytest.raises(archspec.ArchspecError) as error:
        verify(corrupt)
    assert {diagnostic.code for diagnostic in error.value.diagnostics} == {"invalid-graph"}
    assert message in str(error.value)


def test_the_message_names_the_graph_and_the_transform() -> None:
    with pytest.raises(archspec.ArchspecError, match="the graph 'small' after 'fold' is invalid: it has no outputs"):
        verify(with_outputs(lambda outputs: ())(archspec.parse(SPEC).graph), after="fold")


class Doubled(Op):
    """An op with two weights of one name."""

    kind: ClassVar[str] = "doubled"

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (EXTRA, EXTRA)


def test_two_weights_cannot_have_one_key() -> None:
    with pytest.raises(archspec.ArchspecError, match=r"two weights have the key 'layer\.extra' in the state dict"):
        verify(Sample(Doubled(), (TensorType((3,)),)).graph)
