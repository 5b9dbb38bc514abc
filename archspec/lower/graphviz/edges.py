"""The arrows of a view: which value flows from what is drawn to what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.ir.graph import Graph, Node, Output, Value
from archspec.lower.graphviz.collapse import Footprint, Item

End = Item | Value | Output
"""What an arrow joins: a node or a group, an input of the network, or an output."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A value on its way from `tail` to `head`.

    `reader` is the node that reads it, which may be inside a closed group; None at an output of the network.
    """

    tail: End
    head: End
    value: Value
    reader: Node | None


def edges(graph: Graph, view: Footprint) -> Iterator[Edge]:
    """Every arrow, in the order of the nodes that read.

    An op that reads a value twice has two; a closed group has one for each value it reads.
    """
    makers = {value: node for node in graph.nodes for value in node.outputs}
    seen: set[tuple[End, End, Value]] = set()

    def arrows(value: Value, head: End, reader: Node | None) -> Iterator[Edge]:
        maker = makers.get(value)
        tail: End = value if maker is None else view.places[maker]
        known = head is not reader and (tail, head, value) in seen
        if tail is not head and not known:
            seen.add((tail, head, value))
            yield Edge(tail, head, value, reader)

    for node in graph.nodes:
        if node not in view.repeated:
            for value in node.inputs:
                yield from arrows(value, view.places[node], node)
    for output in graph.outputs:
        yield from arrows(output.value, output, None)


def trunk(edges: Sequence[Edge]) -> set[Edge]:
    """The arrows on the longest ways through the picture, at most one into and one out of each node.

    Of paths that part and meet again the longest is the trunk, or the middle one of equally long ones. Drawn straight,
    they make the flow plain to see.
    """
    before: dict[End, int] = {}
    into: dict[End, list[Edge]] = {}
    for edge in edges:
        _keep_longest(edge, edge.head, 1 + before.get(edge.tail, 0), before, into)
    after: dict[End, int] = {}
    out: dict[End, list[Edge]] = {}
    for edge in reversed(edges):
        _keep_longest(edge, edge.tail, 1 + after.get(edge.head, 0), after, out)
    entering = {longest[(len(longest) - 1) // 2] for longest in into.values()}
    leaving = {longest[len(longest) // 2] for longest in out.values()}
    return entering & leaving


def _keep_longest(edge: Edge, end: End, steps: int, known: dict[End, int], longest: dict[End, list[Edge]]) -> None:
    """Note an edge among the longest ways to an end, if it is one of them."""
    if steps > known.get(end, 0):
        known[end], longest[end] = steps, []
    if steps == known[end]:
        longest[end].append(edge)


def span(edges: Sequence[Edge]) -> int:
    """How many rows all arrows together bridge: what a layout has to place beside the nodes."""
    rows: dict[End, int] = {}
    for edge in edges:
        rows[edge.head] = max(rows.get(edge.head, 0), 1 + rows.get(edge.tail, 0))
    return sum(rows[edge.head] - rows.get(edge.tail, 0) for edge in edges)
