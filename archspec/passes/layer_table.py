"""The layers of a network as people speak of them: each layer, and each part that has a name, with its facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archspec.ir.graph import Node, Scope, Value
from archspec.passes.facts import Facts
from archspec.passes.receptive_field import ReceptiveField


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer, or a part of the network with a name, and its facts.

    Shapes are those of one sample, without the batch axis. `op` is the op of a layer, and of a part the block or the
    structure it is. `level` counts the named parts around it, `nodes` are those in it: one for a layer.
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
        """The node of a layer; of a part the first."""
        return self.nodes[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its (first) output."""
        return self.outputs[0].type.sizes if self.outputs else ()

    @property
    def params(self) -> int:
        """Parameters; none where it uses another layer's."""
        return sum(self.facts.costs[node].params for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return sum(self.facts.costs[node].macs for node in self.nodes)

    @property
    def field(self) -> ReceptiveField | None:
        """What its output sees of the first input; None where it sees nothing of it."""
        return self.facts.fields.get(self.outputs[0]) if self.outputs else None

    @property
    def receptive_field(self) -> tuple[int | None, ...] | None:
        """How many input positions it sees along each axis; None where it sees everything."""
        field = self.field
        return None if field is None or field.everything else field.size

    def __repr__(self) -> str:
        return f"<{self.name}: {self.op} {self.shape}, {self.params:,} params, {self.macs:,} MACs>"


def layers(facts: Facts, depth: int | None = None) -> Iterator[Layer]:
    """The layers and named parts of a graph in order, a part before what it holds.

    Parts below `depth` levels stay closed: what they hold is left out.
    """
    yield from _layers(facts, facts.graph.body, 0, depth, False)


def _layers(facts: Facts, region: Scope, level: int, depth: int | None, training: bool) -> Iterator[Layer]:
    for item in region.items:
        if isinstance(item, Node):
            yield Layer(facts, item.name, item.op.kind, item.outputs, (item,), level, False, training)
            continue
        training_only = training or item.training_only
        if item.name is None:
            yield from _layers(facts, item, level, depth, training_only)
        elif inside := tuple(item.nodes()):
            op = item.block or ("repeat" if item.kind == "iteration" else item.kind)
            yield Layer(facts, item.name, op, item.outputs, inside, level, True, training_only)
            if depth is None or level + 1 < depth:
                yield from _layers(facts, item, level + 1, depth, training_only)
