"""What repeats: neighbouring regions that are built alike and pass their values on from one to the next."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from archspec.ir.graph import Graph, Node, Scope, Value

Unit = Node | Scope


@dataclass(frozen=True, eq=False)
class Pattern:
    """A region without its names: two regions with equal `signature` are built alike.

    `sources` are the values it reads from outside, in the order they are met; `places` numbers the values it makes.
    """

    signature: Hashable
    sources: tuple[Value, ...]
    places: Mapping[Value, int]
    nodes: frozenset[Node]


class Repeats:
    """The repetitions in one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._patterns: dict[Scope, Pattern] = {}

    def runs(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
        """The units in order; those that repeat their predecessor stand together with it."""
        run: list[Unit] = []
        before: Hashable = None
        for unit in units:
            link = self._link(run[-1], unit) if run else None
            if link is not None and (len(run) == 1 or link == before):
                run.append(unit)
            else:
                if run:
                    yield tuple(run)
                run = [unit]
            before = link
        if run:
            yield tuple(run)

    def _link(self, first: Unit, second: Unit) -> Hashable:
        """How `second` continues `first`: for each value it reads, which one of `first` it is, or the same as there.

        None where it does not: they are built differently, or a value of `first` is read elsewhere as well.
        """
        if not isinstance(first, Scope) or not isinstance(second, Scope):
            return None
        left, right = self._pattern(first), self._pattern(second)
        if left.signature != right.signature:
            return None
        link = tuple(
            left.places.get(value, value if value is other else None)
            for value, other in zip(right.sources, left.sources, strict=True)
        )
        if None in link or not any(isinstance(place, int) for place in link):
            return None
        readers = left.nodes | right.nodes
        return link if all(readers.issuperset(self._readers.get(value, ())) for value in left.places) else None

    @cached_property
    def _readers(self) -> dict[Value, list[Node | None]]:
        """Who reads each value; None is the world outside, which reads the outputs."""
        readers: dict[Value, list[Node | None]] = {}
        for node in self._graph.nodes:
            for value in node.inputs:
                readers.setdefault(value, []).append(node)
        for output in self._graph.outputs:
            readers.setdefault(output.value, []).append(None)
        return readers

    def _pattern(self, region: Scope) -> Pattern:
        if region not in self._patterns:
            self._patterns[region] = _pattern(region)
        return self._patterns[region]


def _pattern(region: Scope) -> Pattern:
    places: dict[Value, int] = {}
    sources: dict[Value, int] = {}

    def reference(value: Value) -> tuple[str, int]:
        if value in places:
            return "made", places[value]
        return "read", sources.setdefault(value, len(sources))

    def layer(node: Node) -> Hashable:
        read = tuple(map(reference, node.inputs))
        for value in node.outputs:
            places[value] = len(places)
        return type(node.op), node.op, read, node.output_types, node.weights, node.owner

    def structure(region: Scope) -> Hashable:
        items = tuple(layer(item) if isinstance(item, Node) else structure(item) for item in region.items)
        facts = region.kind, region.block, region.name is None, region.training_only
        return facts, items, tuple(map(reference, region.outputs))

    signature = structure(region)
    return Pattern(signature, tuple(sources), places, frozenset(region.nodes()))
