"""The U layout: a decoder with skips is drawn upwards, beside its encoder.

An encoder downsamples its feature maps; a decoder upsamples them again and reads, beside the values from below, those
of the encoder at the same resolution. Drawn upwards, the decoder is beside the encoder, and the network looks like the
U that U-Net is named after. A decoder without skips is drawn downwards. So is everything if collapsed groups contain
parts of both, so that the arrows would require a group to be above another and below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from archspec.ir.graph import Graph, Node, Value
from archspec.lower.graphviz.edges import Edge, Endpoint
from archspec.ops import Op


class EdgeDirection(Enum):
    """The direction of an edge: with the diagram, upwards inside a decoder, or level from the encoder to it."""

    FORWARD = "forward"
    UPWARD = "upward"
    LEVEL = "level"


def edge_directions(graph: Graph, edges: Sequence[Edge]) -> dict[Edge, EdgeDirection]:
    """The direction of each edge: all forward if the graph has no decoder with skips, or it cannot be drawn as a U."""
    turns = _turns(graph)
    skip_nodes = _skip_nodes(graph, turns)
    directions = {edge: _direction(edge, turns, skip_nodes) for edge in edges}
    has_skips = EdgeDirection.LEVEL in directions.values()
    if has_skips and _is_consistent(directions, level_rows(graph, directions)):
        return directions
    return dict.fromkeys(edges, EdgeDirection.FORWARD)


def level_rows(graph: Graph, directions: Mapping[Edge, EdgeDirection]) -> list[list[Endpoint]]:
    """What is drawn at the same height: both ends of a skip, and the inputs with the outputs of a decoder."""
    rows = [[edge.tail, edge.head] for edge, direction in directions.items() if direction is EdgeDirection.LEVEL]
    tops = [
        edge.head for edge, direction in directions.items() if direction is EdgeDirection.UPWARD and edge.reader is None
    ]
    if tops:
        rows.append([*graph.inputs, *tops])
    return rows


def _is_consistent(directions: Mapping[Edge, EdgeDirection], rows: Sequence[Sequence[Endpoint]]) -> bool:
    """Whether heights exist for all nodes that satisfy the direction of every edge.

    A nested U-Net has several skips along one row. The later ones start in the decoder and need not point upwards.
    """
    row_of: dict[Endpoint, frozenset[Endpoint]] = {}
    for row in rows:
        joined = frozenset[Endpoint]().union(*(row_of.get(end, {end}) for end in row))
        row_of.update(dict.fromkeys(joined, joined))
    above: dict[frozenset[Endpoint], set[frozenset[Endpoint]]] = {}
    for edge, direction in directions.items():
        tail, head = (row_of.get(end, frozenset([end])) for end in (edge.tail, edge.head))
        is_upward = direction is EdgeDirection.UPWARD
        upper, lower = (head, tail) if is_upward else (tail, head)
        if direction is EdgeDirection.FORWARD or (is_upward and tail is not head):
            above.setdefault(lower, set()).add(upper)
    try:
        TopologicalSorter(above).prepare()
    except CycleError:
        return False
    return True


def _direction(edge: Edge, turns: Mapping[Value, int], skip_nodes: set[Node]) -> EdgeDirection:
    if edge.reader is None:
        return EdgeDirection.UPWARD if turns[edge.value] % 2 else EdgeDirection.FORWARD
    if edge.reader in skip_nodes or _is_skip(edge.value, edge.reader, turns):
        return EdgeDirection.LEVEL
    return EdgeDirection.UPWARD if turns[edge.reader.outputs[0]] % 2 else EdgeDirection.FORWARD


def _turns(graph: Graph) -> dict[Value, int]:
    """The number of turns on the path to each value: even in an encoder, odd in a decoder.

    A path turns upwards where feature maps are upsampled, and downwards again where they are downsampled.
    """
    turns = dict.fromkeys(graph.inputs, 0)
    for node in graph.nodes:
        most = max((turns[value] for value in node.inputs), default=0)
        is_decoder = most % 2 == 1
        turned = _downsamples(node) if is_decoder else _upsamples(node)
        turns.update(dict.fromkeys(node.outputs, most + turned))
    return turns


def _is_skip(value: Value, reader: Node, turns: Mapping[Value, int]) -> bool:
    """Whether a node of a decoder reads a value from before the turn."""
    count = turns[reader.outputs[0]]
    return count % 2 == 1 and turns[value] < count and not _upsamples(reader)


def _skip_nodes(graph: Graph, turns: Mapping[Value, int]) -> set[Node]:
    """The nodes on a skip, such as a crop: only the decoder reads their values, or other nodes on the skip."""
    skip_nodes: set[Node] = set()
    skipped: set[Value] = set()
    read_elsewhere = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if not skipped.isdisjoint(node.outputs) and read_elsewhere.isdisjoint(node.outputs):
            skip_nodes.add(node)
        for value in node.inputs:
            is_skip = node in skip_nodes or _is_skip(value, node, turns)
            (skipped if is_skip else read_elsewhere).add(value)
    return skip_nodes


def _upsamples(node: Node) -> bool:
    """Whether a node enlarges feature maps. To expand a single position, as after a global pooling, does not count."""
    expands = not node.weights and all(size == 1 for size in node.input_types[0].spatial)
    return not expands and any(stride < 1 for stride in _strides(node))


def _downsamples(node: Node) -> bool:
    return any(stride > 1 for stride in _strides(node))


def _strides(node: Node) -> Iterator[Fraction]:
    """The stride over each input axis, from one output position to the next."""
    op = node.op
    assert isinstance(op, Op)
    inputs, outputs = node.input_types, node.output_types
    for index in range(len(inputs)):
        for _, window in op.footprint(inputs, outputs, index).values():
            yield window.stride
