"""Repetitions: neighbouring scopes of equal structure, each of which reads the values of the one before."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from archspec.ir.graph import Graph, Node, Scope, Value

NodeOrScope = Node | Scope


@dataclass(frozen=True, eq=False)
class ScopeStructure:
    """A scope without its names.

    Attributes:
        signature: equal for scopes of equal structure.
        inputs: the values that are read from outside, in order of their first use.
        numbers: the number of each value that is computed inside.
        nodes: the nodes of the scope.
    """

    signature: Hashable
    inputs: tuple[Value, ...]
    numbers: Mapping[Value, int]
    nodes: frozenset[Node]


class RepeatFinder:
    """Finds the repetitions in one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._structures: dict[Scope, ScopeStructure] = {}

    def runs(self, items: Sequence[NodeOrScope]) -> Iterator[tuple[NodeOrScope, ...]]:
        """The items in order, grouped into runs in which each repeats its predecessor."""
        run: list[NodeOrScope] = []
        previous: Hashable = None
        for item in items:
            link = self._link(run[-1], item) if run else None
            if link is not None and (len(run) == 1 or link == previous):
                run.append(item)
            else:
                if run:
                    yield tuple(run)
                run = [item]
            previous = link
        if run:
            yield tuple(run)

    def _link(self, first: NodeOrScope, second: NodeOrScope) -> Hashable:
        """How `second` continues `first`: for each input, the number of the value of `first`, or the common input.

        None if it does not: if their structures differ, or a value of `first` is read elsewhere, too.
        """
        if not isinstance(first, Scope) or not isinstance(second, Scope):
            return None
        left, right = self._structure(first), self._structure(second)
        if left.signature != right.signature:
            return None
        link = tuple(
            left.numbers.get(value, value if value is other else None)
            for value, other in zip(right.inputs, left.inputs, strict=True)
        )
        if None in link or not any(isinstance(source, int) for source in link):
            return None
        inside = left.nodes | right.nodes
        return link if all(inside.issuperset(self._readers.get(value, ())) for value in left.numbers) else None

    @cached_property
    def _readers(self) -> dict[Value, list[Node | None]]:
        """The readers of each value; None stands for the caller, who reads the outputs."""
        readers: dict[Value, list[Node | None]] = {}
        for node in self._graph.nodes:
            for value in node.inputs:
                readers.setdefault(value, []).append(node)
        for output in self._graph.outputs:
            readers.setdefault(output.value, []).append(None)
        return readers

    def _structure(self, scope: Scope) -> ScopeStructure:
        if scope not in self._structures:
            self._structures[scope] = _structure_of(scope)
        return self._structures[scope]


def _structure_of(scope: Scope) -> ScopeStructure:
    numbers: dict[Value, int] = {}
    inputs: dict[Value, int] = {}

    def reference(value: Value) -> tuple[str, int]:
        if value in numbers:
            return "computed", numbers[value]
        return "read", inputs.setdefault(value, len(inputs))

    def layer(node: Node) -> Hashable:
        read = tuple(map(reference, node.inputs))
        for value in node.outputs:
            numbers[value] = len(numbers)
        return type(node.op), node.op, read, node.output_types, node.weights, node.owner

    def signature(scope: Scope) -> Hashable:
        items = tuple(layer(item) if isinstance(item, Node) else signature(item) for item in scope.items)
        facts = scope.kind, scope.block, scope.name is None, scope.training_only
        return facts, items, tuple(map(reference, scope.outputs))

    return ScopeStructure(signature(scope), tuple(inputs), numbers, frozenset(scope.nodes()))
