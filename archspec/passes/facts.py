"""The results of all analyses of a graph, each computed when it is first used."""

from __future__ import annotations

from functools import cached_property

from archspec.ir.graph import Graph, Node, Value
from archspec.passes.cost import LayerCost, costs, total
from archspec.passes.depth import depth
from archspec.passes.memory import Memory, memory
from archspec.passes.receptive_field import ReceptiveField, receptive_fields


class Facts:
    """The facts of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def costs(self) -> dict[Node, LayerCost]:
        """Parameters and arithmetic of each node."""
        return costs(self.graph)

    @cached_property
    def total(self) -> LayerCost:
        """Parameters and arithmetic of the whole network."""
        return total(self.graph, self.costs)

    @cached_property
    def depth(self) -> int:
        """Layers with weights on the longest path through the network."""
        return depth(self.graph, self.costs)

    @cached_property
    def memory(self) -> Memory:
        """Activation memory of one sample."""
        return memory(self.graph)

    @cached_property
    def fields(self) -> dict[Value, ReceptiveField]:
        """Receptive fields with respect to the first input."""
        return receptive_fields(self.graph)
