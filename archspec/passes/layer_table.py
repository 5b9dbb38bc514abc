"""The rows of a summary: each layer, and each named part of the network, with its facts."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.frozen import frozen
from archspec.ir.graph import Node, Scope, Value
from archspec.passes.facts import Facts, FieldSizes
from archspec.passes.receptive_field import ReceptiveField


@frozen(eq=False, enforced=True)
class Layer:
    """A layer, or a named part of the network, and its facts.

    Shapes are those of one sample, without the batch axis. `op` is the op of a layer, or the block or structure of a
    part. `level` counts the named parts around it. `nodes` are the nodes in it: one for a layer.
    """

    facts: Facts
    name: str
    op: str
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    level: int
    part: bool = False
    training_only: bool = False

    @property
    def node(self) -> Node:
        """The node of a layer; the first node of a part."""
        return self.nodes[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its first output."""
        return self.outputs[0].type.sizes if self.outputs else ()

    @property
    def params(self) -> int:
        """Parameters; 0 if it shares those of another layer."""
        return sum(self.facts.costs[node].params for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return sum(self.facts.costs[node].macs for node in self.nodes)

    @property
    def fields(self) -> dict[str, ReceptiveField]:
        """The receptive fields of its output, by the names of the inputs that it depends on."""
        return self.facts.fields_of(self.outputs[0]) if self.outputs else {}

    @property
    def field(self) -> ReceptiveField | None:
        """The receptive field of its output on the input of a network that has one; None if it does not depend on it.

        Raises:
            ValueError: the network has several inputs.
        """
        return self.facts.fields.get(self.outputs[0]) if self.outputs else None

    @property
    def receptive_field(self) -> FieldSizes:
        """The input positions it sees along each axis; None where it sees the whole input.

        In a network with several inputs, by the names of those that it depends on.
        """
        return self.facts.field_sizes(self.outputs[0]) if self.outputs else None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.op} {self.shape}, {self.params:,} params, {self.macs:,} MACs>"


def layers(facts: Facts, depth: int | None = None) -> Iterator[Layer]:
    """The layers and named parts of a graph in order, a part before its contents.

    The contents of parts at level `depth` are left out.
    """
    yield from _layers(facts, facts.graph.body, 0, depth, False)


def _layers(facts: Facts, scope: Scope, level: int, depth: int | None, training: bool) -> Iterator[Layer]:
    for item in scope.items:
        if isinstance(item, Node):
            yield Layer(facts, item.name, item.op.kind, item.outputs, (item,), level, False, training)
            continue
        training_only = training or item.training_only
        if item.name is None:
            yield from _layers(facts, item, level, depth, training_only)
        elif nodes := tuple(item.nodes()):
            op = item.block or ("repeat" if item.kind == "iteration" else item.kind)
            yield Layer(facts, item.name, op, item.outputs, nodes, level, True, training_only)
            if depth is None or level + 1 < depth:
                yield from _layers(facts, item, level + 1, depth, training_only)
