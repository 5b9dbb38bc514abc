"""The arrows of a diagram: each value that one drawn item reads from another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.ir.graph import Graph, Node, Output, Value
from archspec.lower.graphviz.collapse import CollapsedGraph, DrawnItem

Endpoint = DrawnItem | Value | Output
"""What an arrow joins: a node, a group, an input of the network or an output."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A value that `head` reads from `tail`.

    `reader` is the node that reads it, which may be inside a collapsed group; None for an output of the network.
    """

    tail: Endpoint
    head: Endpoint
    value: Value
    reader: Node | None


def edges(graph: Graph, collapsed: CollapsedGraph) -> Iterator[Edge]:
    """All arrows, in the order of the nodes that read.

    An op that reads a value twice has two arrows, a collapsed group one per value that it reads.
    """
    producers = {value: node for node in graph.nodes for value in node.outputs}
    seen: set[tuple[Endpoint, Endpoint, Value]] = set()

    def arrows(value: Value, head: Endpoint, reader: Node | None) -> Iterator[Edge]:
        producer = producers.get(value)
        tail: Endpoint = value if producer is None else collapsed.shown_by[producer]
        is_known = head is not reader and (tail, head, value) in seen
        if tail is not head and not is_known:
            seen.add((tail, head, value))
            yield Edge(tail, head, value, reader)

    for node in graph.nodes:
        if node not in collapsed.repetitions:
            for value in node.inputs:
                yield from arrows(value, collapsed.shown_by[node], node)
    for output in graph.outputs:
        yield from arrows(output.value, output, None)


def main_path(edges: Sequence[Edge]) -> set[Edge]:
    """The edges on the longest paths through the diagram, at most one into and one out of each node.

    Of parallel branches it takes the longest, or the middle one of equally long ones. Drawn straight, these edges make
    the direction of the network easy to follow.
    """
    before: dict[Endpoint, int] = {}
    into: dict[Endpoint, list[Edge]] = {}
    for edge in edges:
        _keep_longest(edge, edge.head, 1 + before.get(edge.tail, 0), before, into)
    after: dict[Endpoint, int] = {}
    out: dict[Endpoint, list[Edge]] = {}
    for edge in reversed(edges):
        _keep_longest(edge, edge.tail, 1 + after.get(edge.head, 0), after, out)
    entering = {longest[(len(longest) - 1) // 2] for longest in into.values()}
    leaving = {longest[len(longest) // 2] for longest in out.values()}
    return entering & leaving


def _keep_longest(
    edge: Edge, end: Endpoint, length: int, lengths: dict[Endpoint, int], longest: dict[Endpoint, list[Edge]]
) -> None:
    """Record an edge if it ends one of the longest paths to an endpoint."""
    if length > lengths.get(end, 0):
        lengths[end], longest[end] = length, []
    if length == lengths[end]:
        longest[end].append(edge)


def total_span(edges: Sequence[Edge]) -> int:
    """The number of ranks that all edges together span, which determines the effort of the layout."""
    ranks: dict[Endpoint, int] = {}
    for edge in edges:
        ranks[edge.head] = max(ranks.get(edge.head, 0), 1 + ranks.get(edge.tail, 0))
    return sum(ranks[edge.head] - ranks.get(edge.tail, 0) for edge in edges)
