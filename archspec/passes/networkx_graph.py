"""A network as a graph of networkx, for questions that archspec does not answer itself.

    import networkx as nx

    graph = archspec.load("resnet50").to_networkx()
    nx.descendants(graph, "layer3.0.conv1")                      # what depends on a layer
    nx.dag_longest_path_length(graph, weight="macs")             # the path with the most MACs
    list(nx.articulation_points(graph.to_undirected()))          # what every path passes

A node may read several values of another one, or one value twice. The graph is a `DiGraph` all the same, since not all
algorithms of networkx accept a `MultiDiGraph`: an edge then has several `values`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.passes.facts import Facts

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(facts: Facts) -> nx.DiGraph:
    """A graph as a `networkx.DiGraph`.

    Its nodes, in topological order, are the layers by their names, and the inputs and outputs as `input:NAME` and
    `output:NAME`. Every node has the attributes

        kind             `layer`, `input` or `output`
        shape            the sizes of its (first) value, for one sample, without the batch axis
        shapes           the sizes of each of its values
        receptive_field  positions of the input along each axis, None where it is all of it; if there are several
                         inputs, by the names of those that it depends on

    and layers have more:

        op               the op's name in a spec
        attributes       the op's attributes that differ from their defaults
        params, macs     its parameters (0 if another layer owns them) and multiply-accumulates of one sample
        scope            the dotted name of the closest named part around it, empty at the top
        block            the name of the innermost block it belongs to, or None
        training_only    whether it runs only while training
        shared_from      the layer that owns its weights, if it is another

    Edges go from the node that defines a value to a node that reads it, and have the attributes

        values           the names of the values, in the order of the reader's inputs
        shape, shapes    the sizes of the first of them, and of each
        bytes            of one sample of these values, each counted once
        macs, params     those of the reader, so that both can be the weight of a path

    Raises:
        ImportError: networkx is not installed.
    """
    import networkx as nx

    graph = nx.DiGraph(name=facts.graph.name)
    sources: dict[Value, str] = {}
    for value in facts.graph.inputs:
        sources[value] = f"input:{value.name}"
        graph.add_node(sources[value], kind="input", **_shapes(facts, (value,)))
    surroundings = _surroundings(facts.graph)
    for node in facts.graph.nodes:
        scope, block = surroundings[node]
        cost = facts.costs[node]
        graph.add_node(
            node.name, kind="layer", **_shapes(facts, node.outputs), op=node.op.kind,
            attributes=node.op.explicit_attributes(), params=cost.params, macs=cost.macs, scope=scope, block=block,
            training_only=node in facts.graph.training_only, shared_from=node.owner,
        )  # fmt: skip
        sources.update(dict.fromkeys(node.outputs, node.name))
        _add_edges(graph, sources, node.inputs, node.name, macs=cost.macs, params=cost.params)
    for output in facts.graph.outputs:
        name = f"output:{output.name}"
        graph.add_node(name, kind="output", **_shapes(facts, (output.value,)), training_only=output.training_only)
        _add_edges(graph, sources, (output.value,), name, macs=0, params=0)
    return graph


def _add_edges(
    graph: nx.DiGraph, sources: dict[Value, str], values: tuple[Value, ...], reader: str, **costs: int
) -> None:
    by_source: dict[str, list[Value]] = {}
    for value in values:
        by_source.setdefault(sources[value], []).append(value)
    for source, read in by_source.items():
        shapes = tuple(value.type.sizes for value in read)
        bytes_ = sum(value.type.bytes for value in dict.fromkeys(read))
        names = tuple(value.name for value in read)
        graph.add_edge(source, reader, values=names, shape=shapes[0], shapes=shapes, bytes=bytes_, **costs)


def _shapes(facts: Facts, values: tuple[Value, ...]) -> dict[str, Any]:
    shapes = tuple(value.type.sizes for value in values)
    return {"shape": shapes[0], "shapes": shapes, "receptive_field": facts.field_sizes(values[0])}


def _surroundings(graph: Graph) -> dict[Node, tuple[str, str | None]]:
    """The closest named scope and the innermost block around each node."""

    def walk(scope: Scope, name: str, block: str | None) -> Iterator[tuple[Node, tuple[str, str | None]]]:
        for item in scope.items:
            if isinstance(item, Node):
                yield item, (name, block)
            else:
                yield from walk(item, item.name or name, item.block or block)

    return dict(walk(graph.body, "", None))
