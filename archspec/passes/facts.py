"""The results of all analyses of a graph, each computed when it is first used."""

from __future__ import annotations

from functools import cached_property

from archspec.ir.graph import Graph, Node, Value
from archspec.passes.cost import LayerCost, costs, total
from archspec.passes.depth import depth
from archspec.passes.fingerprint import fingerprint
from archspec.passes.memory import Memory, memory
from archspec.passes.receptive_field import MOST_FIELDS, ReceptiveField, receptive_fields

Sizes = tuple[int | None, ...] | None
"""Positions along each axis, None for the whole axis; None for all of every axis."""

FieldSizes = Sizes | dict[str, Sizes]
"""Sizes of a receptive field: on the one input, or by the names of several."""


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
    def fingerprint(self) -> str:
        """A short hash of the structure."""
        return fingerprint(self.graph)

    @cached_property
    def memory(self) -> Memory:
        """Activation memory of one sample."""
        return memory(self.graph)

    @property
    def field_inputs(self) -> tuple[Value, ...]:
        """The inputs whose receptive fields are shown: all, or the first of so many that they would take minutes."""
        readings = sum(len(node.inputs) for node in self.graph.nodes)
        return self.graph.inputs[: max(1, MOST_FIELDS // max(1, readings))]

    @cached_property
    def input_fields(self) -> dict[str, dict[Value, ReceptiveField]]:
        """The receptive fields on each of `field_inputs`, by its name: of every value that depends on it."""
        return {source.name: receptive_fields(self.graph, source) for source in self.field_inputs}

    def fields_on(self, source: Value) -> dict[Value, ReceptiveField]:
        """The receptive fields on an input, of every value that depends on it."""
        known = self.input_fields.get(source.name)
        return receptive_fields(self.graph, source) if known is None else known

    @property
    def fields(self) -> dict[Value, ReceptiveField]:
        """The receptive fields on the input of a network that has one.

        Raises:
            ValueError: the network has several inputs.
        """
        if len(self.input_fields) != 1:
            raise ValueError(f"'{self.graph.name}' has {len(self.input_fields)} inputs: use `input_fields`")
        return next(iter(self.input_fields.values()))

    def fields_of(self, value: Value) -> dict[str, ReceptiveField]:
        """The receptive fields of a value, by the names of those of `field_inputs` that it depends on."""
        return {name: fields[value] for name, fields in self.input_fields.items() if value in fields}

    def field_sizes(self, value: Value) -> FieldSizes:
        """The input positions that a value sees along each axis; None where it sees the whole input.

        In a network with several inputs, by the names of those that it depends on; in one with a single input, 0 along
        each axis where it does not depend on it.
        """
        sizes = {name: None if field.everything else field.size for name, field in self.fields_of(value).items()}
        if len(self.graph.inputs) > 1:
            return sizes
        (source,) = self.graph.inputs
        return sizes.get(source.name, (0,) * (source.type.rank - 2))
