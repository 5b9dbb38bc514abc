"""The way back up: which arrows of a decoder with skips are drawn against the direction of the picture.

An encoder goes down and halves its maps; a decoder doubles them again and reads, beside what comes from below, what
the encoder made at the same height. Drawn upwards, the decoder stands beside the encoder and the network is the U it
is called after. A decoder without skips goes straight on, and so does everything where a closed box holds so much of
both that arrows would ask it to stand above another and below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from archspec.ir.graph import Graph, Node, Value
from archspec.lower.graphviz.edges import Edge, End
from archspec.ops import Op


class Course(Enum):
    """Which way an arrow goes: with the picture, back up inside a decoder, or across to it from the encoder."""

    ON = "on"
    UP = "up"
    ACROSS = "across"


def courses(graph: Graph, edges: Sequence[Edge]) -> dict[Edge, Course]:
    """The course of each edge."""
    turns = _turns(graph)
    couriers = _couriers(graph, turns)
    found = {edge: _course(edge, turns, couriers) for edge in edges}
    climbs = Course.ACROSS in found.values() and _can_stand(found, rows(graph, found))
    return found if climbs else dict.fromkeys(edges, Course.ON)


def rows(graph: Graph, courses: Mapping[Edge, Course]) -> list[list[End]]:
    """What stands on one level: both ends of a skip, and the inputs with the outputs of a decoder."""
    found = [[edge.tail, edge.head] for edge, course in courses.items() if course is Course.ACROSS]
    if tops := [edge.head for edge, course in courses.items() if course is Course.UP and edge.reader is None]:
        found.append([*graph.inputs, *tops])
    return found


def _can_stand(courses: Mapping[Edge, Course], rows: Sequence[Sequence[End]]) -> bool:
    """Whether there is a height for everything, so that arrows go down, up and across as they are to.

    Of skips along one level, as a nested U-Net has them, the later ones begin in the decoder: they need not go up.
    """
    level: dict[End, frozenset[End]] = {}
    for row in rows:
        joined = frozenset[End]().union(*(level.get(end, {end}) for end in row))
        level.update(dict.fromkeys(joined, joined))
    above: dict[frozenset[End], set[frozenset[End]]] = {}
    for edge, course in courses.items():
        tail, head = (level.get(end, frozenset([end])) for end in (edge.tail, edge.head))
        upper, lower = (head, tail) if course is Course.UP else (tail, head)
        if course is Course.ON or (course is Course.UP and tail is not head):
            above.setdefault(lower, set()).add(upper)
    try:
        TopologicalSorter(above).prepare()
    except CycleError:
        return False
    return True


def _course(edge: Edge, turns: Mapping[Value, int], couriers: set[Node]) -> Course:
    if edge.reader is None:
        return Course.UP if turns[edge.value] % 2 else Course.ON
    if edge.reader in couriers or _crosses(edge.value, edge.reader, turns):
        return Course.ACROSS
    return Course.UP if turns[edge.reader.outputs[0]] % 2 else Course.ON


def _turns(graph: Graph) -> dict[Value, int]:
    """How often the way to each value has turned: up where maps are enlarged, and down again where they are reduced.

    So it is even on the way down, and odd on the way up.
    """
    turns = dict.fromkeys(graph.inputs, 0)
    for node in graph.nodes:
        most = max((turns[value] for value in node.inputs), default=0)
        up = most % 2 == 1
        turned = _reduces(node) if up else _enlarges(node)
        turns.update(dict.fromkeys(node.outputs, most + turned))
    return turns


def _crosses(value: Value, reader: Node, turns: Mapping[Value, int]) -> bool:
    """Whether a node on the way up reads a value that was made before the turn."""
    height = turns[reader.outputs[0]]
    return height % 2 == 1 and turns[value] < height and not _enlarges(reader)


def _couriers(graph: Graph, turns: Mapping[Value, int]) -> set[Node]:
    """The nodes on the way across, a crop for instance: all that reads them is the decoder, or others like them."""
    found: set[Node] = set()
    crossing: set[Value] = set()
    staying = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if not crossing.isdisjoint(node.outputs) and staying.isdisjoint(node.outputs):
            found.add(node)
        for value in node.inputs:
            crosses = node in found or _crosses(value, node, turns)
            (crossing if crosses else staying).add(value)
    return found


def _enlarges(node: Node) -> bool:
    """Whether it makes larger maps of maps; to spread one value, as after a global pooling, is no decoder."""
    spreads = not node.weights and all(size == 1 for size in node.input_types[0].spatial)
    return not spreads and any(stride < 1 for stride in _strides(node))


def _reduces(node: Node) -> bool:
    return any(stride > 1 for stride in _strides(node))


def _strides(node: Node) -> Iterator[Fraction]:
    """How far each output axis moves over an input from one position to the next."""
    op = node.op
    assert isinstance(op, Op)
    for index in range(len(node.inputs)):
        for _, window in op.footprint(node.input_types, node.output_types, index).values():
            yield window.stride
