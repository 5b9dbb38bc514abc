"""`verify` finds graphs that contradict themselves, and nothing wrong with those the compiler builds."""

from __future__ import annotations

from dataclasses import replace

import pytest

import archspec
from archspec import zoo
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import TensorType
from archspec.ir.verify import verify

NAMES = sorted(name for name, _ in zoo.names())

SPEC = """
archspec: 1
name: small
input: [3, 8, 8]
layers:
  - conv: {name: a, channels: 4, kernel: 3, padding: 1}
  - conv: {name: b, channels: 4, kernel: 3, padding: 1}
  - conv: {name: c, channels: 4, kernel: 3, padding: 1, share: b}
  - add: [a, c]
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_zoo_is_sound(name: str) -> None:
    verify(archspec.load(name).graph)


def remade(graph: Graph, nodes: list[Node]) -> Graph:
    return replace(graph, body=Scope("network", "", tuple(nodes), graph.inputs, graph.body.outputs))


def fault(graph: Graph) -> str:
    with pytest.raises(archspec.ArchspecError) as error:
        verify(graph)
    assert {found.code for found in error.value.diagnostics} == {"invalid-graph"}
    return str(error.value)


def test_it_finds_a_value_read_before_it_is_made() -> None:
    graph = archspec.parse(SPEC).graph
    a, b, c, add = graph.nodes
    assert "'b' reads 'a' before it is made" in fault(remade(graph, [b, a, c, add]))


def test_it_finds_two_nodes_of_one_name() -> None:
    graph = archspec.parse(SPEC).graph
    a, b, c, add = graph.nodes
    assert "two nodes are called 'a'" in fault(remade(graph, [a, replace(b, name="a"), c, add]))


def test_it_finds_a_type_the_op_does_not_infer() -> None:
    graph = archspec.parse(SPEC).graph
    a, *rest = graph.nodes
    wrong = replace(a, outputs=(Value("a", TensorType((4, 7, 8))),))
    assert "'a' says it makes (N, 4, 7, 8), and its op infers (N, 4, 8, 8)" in fault(remade(graph, [wrong, *rest]))


def test_it_finds_missing_and_borrowed_weights() -> None:
    graph = archspec.parse(SPEC).graph
    a, b, c, add = graph.nodes
    assert "'a' has the weights []" in fault(remade(graph, [replace(a, weights=()), b, c, add]))
    assert "'c' borrows the weights of 'nobody'" in fault(remade(graph, [a, b, replace(c, owner="nobody"), add]))


def test_it_finds_an_output_nobody_makes() -> None:
    graph = archspec.parse(SPEC).graph
    lost = Output("lost", Value("lost", TensorType((1,))))
    assert "the output 'lost' is not made" in fault(replace(graph, outputs=(lost,)))
