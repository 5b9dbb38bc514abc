"""The rows of a summary: layers, and the regions of the spec around them, with what each holds and does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archspec.ir.graph import Node, Region, Value
from archspec.passes.cost import Cost
from archspec.passes.facts import Facts
from archspec.passes.receptive_field import Field


@dataclass(frozen=True, slots=True)
class Row:
    """A layer, or a region and everything in it. `level` counts the named regions around it."""

    name: str
    level: int
    kind: str
    outputs: tuple[Value, ...]
    cost: Cost
    field: Field | None
    layers: int
    """How many layers stand in it: 0 for a layer."""
    training_only: bool = False

    @property
    def local_name(self) -> str:
        return self.name.rpartition(".")[2]


def rows(facts: Facts, depth: int | None = None) -> Iterator[Row]:
    """The rows of a graph in order, a region before what it holds; regions below `depth` levels stay closed."""
    yield from _rows(facts, facts.graph.body, 0, depth, False)


def _rows(facts: Facts, region: Region, level: int, depth: int | None, training: bool) -> Iterator[Row]:
    costs, fields = facts.costs, facts.fields
    for item in region.items:
        if isinstance(item, Node):
            field = fields.get(item.outputs[0])
            yield Row(item.name, level, item.op.kind, item.outputs, costs[item], field, 0, training)
            continue
        training_only = training or item.training_only
        if item.name is None:
            yield from _rows(facts, item, level, depth, training_only)
            continue
        inside = list(item.nodes())
        if not inside:
            continue
        cost = sum((costs[node] for node in inside), Cost())
        field = fields.get(item.outputs[0]) if item.outputs else None
        kind = item.block or item.kind
        yield Row(item.name, level, kind, item.outputs, cost, field, len(inside), training_only)
        if depth is None or level + 1 < depth:
            yield from _rows(facts, item, level + 1, depth, training_only)
