"""`GraphBuilder`: the example of its page runs, it rejects what a spec may not say, and it rebuilds the zoo."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

import archspec
import archspec.ir.builder
from archspec import ops
from archspec.ir import DType, Graph, GraphBuilder, Initializer, Node, Scope, TensorType, Value, to_text
from archspec.lower.targets import write_source
from archspec.lower.text.header import About
from archspec.ops import Add, Conv, Linear, MaxPool, Relu, Split
from archspec.ops.norm import BatchNorm


def test_the_example_in_its_docstring() -> None:
    lines = (archspec.ir.builder.__doc__ or "").splitlines()
    example = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    names: dict[str, Any] = {}
    exec(example, names)
    assert to_text(names["graph"]) == (
        "tiny(image: float32 (N, 3, 32, 32)) {\n"
        "  conv = conv(image) {channels: 8, kernel: 3, padding: 1} -> (N, 8, 32, 32)\n"
        "  block basic stage1 {\n"
        "    stage1.conv = conv(conv) {channels: 8, kernel: 3, padding: 1} -> (N, 8, 32, 32)\n"
        "    stage1.relu = relu(stage1.conv) -> (N, 8, 32, 32)\n"
        "    stage1.add = add(conv, stage1.relu) -> (N, 8, 32, 32)\n"
        "  }\n"
        "} -> features = stage1.add\n"
    )


def started(*sizes: int) -> tuple[GraphBuilder, Value]:
    builder = GraphBuilder("net")
    return builder, builder.input("x", sizes or (4, 8, 8))


def test_scopes_have_the_inputs_and_outputs_that_are_used() -> None:
    b, x = started()
    y = b.apply(Conv(channels=4, kernel=1), x)
    with b.scope("outer"):
        with b.scope("inner", kind="block", block="pair"):
            one, two = b.apply(Relu(), y), b.apply(Relu(), x)
        b.apply(Add(), one, two)
    total = b.apply(Add(), two, y)
    b.output("total", total)
    (_, outer, _) = b.build().body.items
    assert isinstance(outer, Scope)
    inner, last = outer.items
    assert isinstance(inner, Scope)
    assert isinstance(last, Node)
    assert (inner.name, inner.block, inner.inputs, inner.outputs) == ("outer.inner", "pair", (y, x), (one, two))
    assert (outer.inputs, outer.outputs) == ((y, x), (two,))


def test_names_are_given_as_in_a_spec() -> None:
    b, x = started()
    for name in (None, None, "conv_2", None):
        x = b.apply(Conv(channels=4, kernel=1), x, name=name)
    with b.scope("features", indexed=True):
        x = b.apply(Relu(), x)
        with b.scope():
            x = b.apply(Relu(), x)
        x = b.apply(Relu(), x, name="3")
        x = b.apply(Relu(), x)
        x = b.apply(Relu(), x)
    b.output("output", x)
    names = [node.name for node in b.build().nodes]
    assert names[:4] == ["conv", "conv_1", "conv_2", "conv_3"]
    assert names[4:] == ["features.0", "features.1", "features.3", "features.2", "features.4"]


def test_weights_are_shared_by_layer_and_by_scope() -> None:
    b, x = started()
    first = b.apply(Conv(channels=4, kernel=1), x, name="first")
    for name, share in (("one", None), ("two", "one"), ("three", "two")):
        with b.scope(name, share=share):
            with b.scope("inner"):
                x = b.apply(Conv(channels=4, kernel=1), x, name="conv")
            x = b.apply(Relu(), x)
    x = b.apply(Conv(channels=4, kernel=1), x, name="last", share=first)
    b.output("output", x)
    graph = b.build()
    owners = {node.name: node.owner for node in graph.nodes if node.weights}
    assert owners == {
        "first": None, "one.inner.conv": None, "two.inner.conv": "one.inner.conv", "three.inner.conv": "one.inner.conv",
        "last": "first",
    }  # fmt: skip
    assert [key for key, _ in graph.weights()] == [
        "first.weight", "first.bias", "one.inner.conv.weight", "one.inner.conv.bias",
    ]  # fmt: skip


def test_weights_start_as_they_are_asked_to() -> None:
    b, x = started()
    zeros = {"bias": Initializer("zeros")}
    x = b.apply(Conv(channels=4, kernel=1), x, initializers=zeros)
    x = b.apply(Conv(channels=4, kernel=1), x, trainable=False)
    x = b.apply(Conv(channels=4, kernel=1), x, initializers={"weight": Initializer("values", {"values": 1.0})})
    b.output("output", x)
    one, two, three = b.build().nodes
    assert one.weights[1].initializer == Initializer("zeros")
    assert [weight.trainable for weight in (*one.weights, *two.weights, *three.weights)] == [
        True, True, False, False, False, True,
    ]  # fmt: skip


def test_several_outputs_and_dtypes() -> None:
    b = GraphBuilder("net")
    tokens = b.input("tokens", (12,), DType.INT64)
    features = b.apply(ops.parameters.Embedding(entries=100, features=6), tokens)
    left, right = b.apply_all(Split(axis=-1, sizes=(2, 4)), features)
    with b.scope("aux", kind="side", training_only=True):
        aux = b.apply(Linear(features=3), features)
    for name, value in (("left", left), ("right", right), ("aux", aux)):
        b.output(name, value)
    graph = b.build()
    assert (left.name, right.name, right.type) == ("split.0", "split.1", TensorType((12, 4)))
    assert [(output.name, output.training_only) for output in graph.outputs] == [
        ("left", False), ("right", False), ("aux", True),
    ]  # fmt: skip


Use = Callable[[GraphBuilder, Value], object]


def in_scope(share: str | None = None, **options: Any) -> Use:
    def use(b: GraphBuilder, x: Value) -> None:
        with b.scope(share=share, **options):
            b.apply(Conv(channels=4, kernel=1), x, name="conv")

    return use


def built_inside(b: GraphBuilder, x: Value) -> None:
    with b.scope("open"):
        b.output("output", b.apply(Relu(), x))
        b.build()


ERRORS: dict[str, tuple[Use, str, str]] = {
    "op": (lambda b, x: b.apply(Conv(channels=4, kernel=9), x), "kernel-too-large", "from x"),
    "op in a layer": (lambda b, x: b.apply(Conv(channels=4, kernel=9), x, name="c"), "kernel-too-large", "c"),
    "arity": (lambda b, x: b.apply(Relu(), x, x), "wrong-arity", "'relu' takes 1 values, and 'relu' has 2"),
    "no inputs": (lambda b, x: b.apply(Add()), "wrong-arity", "'add' takes one or more values"),
    "several outputs": (lambda b, x: b.apply(Split(sizes=(1, 3)), x), "wrong-arity", "call apply_all"),
    "foreign value": (lambda b, x: b.apply(Relu(), started()[1]), "unknown-layer", "is not of the graph 'net'"),
    "layer name": (lambda b, x: b.apply(Relu(), x, name="a.b"), "bad-name", "'a.b' cannot be a name"),
    "name of an input": (lambda b, x: b.apply(Relu(), x, name="x"), "duplicate-name", "'x' is the name of another"),
    "input name": (lambda b, x: b.input("x", (1,)), "duplicate-name", "'x' is the name of another"),
    "input sizes": (lambda b, x: b.input("y", (0, 1)), "wrong-size", "has a size below 1: [0, 1]"),
    "scope name": (in_scope(name="x"), "duplicate-name", "'x' is the name of another"),
    "block": (in_scope(name="s", kind="block"), "missing-argument", "a scope of the kind 'block' needs block"),
    "no block": (in_scope(name="s", block="b"), "missing-argument", "a scope of the kind 'sequential' has no block"),
    "training": (in_scope(name="s", training_only=True), "training-only", "cannot run only while training"),
    "shared scope": (in_scope(name="s", share="r"), "wrong-share", "there is no scope 'r'"),
    "nameless shared": (in_scope(share="r"), "wrong-share", "a scope that shares weights needs a name"),
    "share": (lambda b, x: b.apply(Conv(channels=4, kernel=1), x, share="r"), "wrong-share", "'r' has no weights"),
    "share an input": (lambda b, x: b.apply(Conv(channels=4, kernel=1), x, share=x), "wrong-share", "'x' has no"),
    "share other shapes": (
        lambda b, x: b.apply(Conv(channels=4, kernel=1), x, share=b.apply(Conv(channels=4, kernel=3), x)),
        "wrong-share", "cannot share weights of other shapes",
    ),
    "share and freeze": (
        lambda b, x: b.apply(BatchNorm(), x, share=b.apply(BatchNorm(), x), trainable=False),
        "wrong-share", "set initializers and trainable at 'batch_norm'",
    ),
    "weight": (
        lambda b, x: b.apply(Conv(channels=4, kernel=1), x, initializers={"wight": Initializer("zeros")}),
        "unknown-weight", "did you mean 'weight'?",
    ),
    "output name": (lambda b, x: b.output("x", x), "duplicate-name", "is named 'x' already"),
    "output value": (lambda b, x: b.output("y", started()[1]), "unknown-layer", "is not of the graph"),
    "no output": (lambda b, x: b.build(), "invalid-graph", "it has no outputs"),
    "open scope": (built_inside, "invalid-graph", "the scope 'open' is still open"),
    "graph name": (lambda b, x: GraphBuilder("two words"), "bad-name", "'two words' cannot be the name of a network"),
}  # fmt: skip


@pytest.mark.parametrize(("use", "code", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_have_codes_and_no_spans(use: Use, code: str, message: str) -> None:
    b, x = started()
    with pytest.raises(archspec.ArchspecError) as error:
        use(b, x)
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.span) == (code, None)
    assert message in str(error.value)


def test_an_error_leaves_the_builder_as_it_was() -> None:
    b, x = started()
    with pytest.raises(archspec.ArchspecError):
        b.apply(MaxPool(kernel=20), x)
    b.output("output", b.apply(MaxPool(kernel=2), x))
    assert [node.name for node in b.build().nodes] == ["max_pool"]


# --- the zoo, built again ---


def again(graph: Graph) -> Graph:
    """The same graph, built by a `GraphBuilder`."""
    b = GraphBuilder(graph.name)
    values = {value: b.input(value.name, value.type.sizes, value.type.dtype) for value in graph.inputs}

    def node(old: Node) -> None:
        options: dict[str, Any] = {"share": old.owner}
        if old.owner is None:
            pairs = list(zip(old.weights, old.op.weights(old.input_types), strict=True))
            options["initializers"] = {a.name: a.initializer for a, b in pairs if a.initializer != b.initializer}
            options["trainable"] = all(a.trainable or not b.trainable for a, b in pairs)
        outputs = b.apply_all(old.op, *[values[value] for value in old.inputs], name=old.local_name, **options)
        values.update(zip(old.outputs, outputs, strict=True))

    def scope(old: Scope) -> None:
        for item in old.items:
            if isinstance(item, Node):
                node(item)
                continue
            with b.scope(
                item.local_name or None, kind=item.kind, block=item.block, arguments=item.arguments, label=item.label,
                share=item.owner, training_only=item.training_only,
            ):  # fmt: skip
                scope(item)

    scope(graph.body)
    for output in graph.outputs:
        b.output(output.name, values[output.value])
    return b.build()


@pytest.mark.parametrize("name", ["lenet5_1998", "googlenet", "resnet50", "densenet121", "vit_b_16", "fcn_resnet50"])
def test_it_builds_a_network_of_the_zoo_again(name: str) -> None:
    graph = archspec.load(name).graph
    rebuilt = again(graph)
    assert to_text(rebuilt) == to_text(graph)
    assert write_source(rebuilt, "torch", About()) == write_source(graph, "torch", About())
    assert write_source(rebuilt, "keras", About()) == write_source(graph, "keras", About())
