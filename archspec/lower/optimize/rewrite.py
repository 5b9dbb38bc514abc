"""A graph with some nodes changed or left out, in the same regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from archspec.ir.graph import Graph, Node, Region, Value
from archspec.ir.types import TensorType, Weight
from archspec.ops import Op

Weights = Mapping[str, NDArray[Any]]
"""Arrays by their names in the state dict."""


class Rewrite:
    """Changes to a graph, noted one by one and then made together."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._instead: dict[Value, Value] = {}
        self._ops: dict[Node, Op] = {}
        self._left_out: set[Node | Region] = set()

    def leave_out(self, part: Node | Region) -> None:
        """Drop a node or a region; nothing may read what it makes, unless another value is given `instead`."""
        self._left_out.add(part)

    def instead(self, old: Value, new: Value) -> None:
        """Let everything that reads one value read another of the same type."""
        self._instead[old] = new

    def change(self, node: Node, op: Op) -> None:
        """Give a node another op, which makes values of the same types."""
        self._ops[node] = op

    def done(self) -> Graph:
        """The graph with all changes made; outputs and layers keep their names."""
        if not (self._instead or self._ops or self._left_out):
            return self.graph
        lenders: dict[str, tuple[Weight, ...]] = {}
        body = self._region(self.graph.body, lenders)
        dropped = {value for node in self._gone(self.graph.body) for value in node.outputs}
        outputs = [replace(output, value=self._now(output.value)) for output in self.graph.outputs]
        return replace(self.graph, body=body, outputs=tuple(o for o in outputs if o.value not in dropped))

    def _now(self, value: Value) -> Value:
        while value in self._instead:
            value = self._instead[value]
        return value

    def _values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(map(self._now, values))

    def _region(self, region: Region, lenders: dict[str, tuple[Weight, ...]]) -> Region:
        items: list[Node | Region] = []
        for item in region.items:
            if item in self._left_out:
                continue
            if isinstance(item, Region):
                inner = self._region(item, lenders)
                items += [inner] if inner.items else []
            else:
                items.append(self._node(item, lenders))
        inputs, outputs = self._values(region.inputs), self._values(region.outputs)
        return replace(region, items=tuple(items), inputs=inputs, outputs=outputs)

    def _node(self, node: Node, lenders: dict[str, tuple[Weight, ...]]) -> Node:
        inputs, op = self._values(node.inputs), self._ops.get(node)
        if op is None and inputs == node.inputs:
            made = node
        else:
            made = replace(node, inputs=inputs, op=op or node.op, weights=_weights(op or node.op, inputs, node.weights))
        lenders[node.name] = made.weights
        return made if node.owner is None else made.with_weights(lenders[node.owner], node.owner)

    def _gone(self, region: Region) -> list[Node]:
        gone: list[Node] = []
        for item in region.items:
            if isinstance(item, Region):
                gone += item.nodes() if item in self._left_out else self._gone(item)
            elif item in self._left_out and item.outputs[0] not in self._instead:
                gone.append(item)
        return gone


def readers(graph: Graph) -> dict[Value, list[Node]]:
    """The nodes that read each value."""
    found: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            found.setdefault(value, []).append(node)
    return found


def kept(graph: Graph, weights: Weights) -> Weights:
    """Those of the weights a graph still has, in its order."""
    return {key: weights[key] for key, _ in graph.weights()}


def _weights(op: object, inputs: tuple[Value, ...], before: tuple[Weight, ...]) -> tuple[Weight, ...]:
    """The weights of a changed op: those it had before as they were."""
    assert isinstance(op, Op)
    types: list[TensorType] = [value.type for value in inputs]
    known = {(weight.name, weight.shape): weight for weight in before}
    return tuple(known.get((weight.name, weight.shape), weight) for weight in op.weights(types))
