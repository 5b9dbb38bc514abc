"""A graph with some nodes changed or left out, in the same regions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from archspec.ir.graph import Graph, Node, Scope, Value
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
        self._left_out: set[Node | Scope] = set()
        self.heirs: dict[str, str] = {}
        """Who owns the weights of what was left out: the first that borrowed them, by the names of both."""

    def leave_out(self, part: Node | Scope) -> None:
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
        body = self._region(self.graph.body, {})
        dropped = {value for node in self._gone(self.graph.body) for value in node.outputs}
        outputs = [replace(output, value=self._now(output.value)) for output in self.graph.outputs]
        outputs = [output for output in outputs if output.value not in dropped]
        body = replace(body, outputs=tuple([output.value for output in outputs]))
        return replace(self.graph, body=body, outputs=tuple(outputs))

    def _now(self, value: Value) -> Value:
        while value in self._instead:
            value = self._instead[value]
        return value

    def _values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(map(self._now, values))

    def _region(self, region: Scope, lenders: dict[str, tuple[Weight, ...]]) -> Scope:
        owner = self._owner(region, lenders)
        if region.name:
            lenders.setdefault(region.name, ())
        items: list[Node | Scope] = []
        for item in region.items:
            if item in self._left_out:
                continue
            if isinstance(item, Scope):
                inner = self._region(item, lenders)
                items += [inner] if inner.items else []
            else:
                items.append(self._node(item, lenders))
        inputs, outputs = self._values(region.inputs), self._values(region.outputs)
        return replace(region, items=tuple(items), inputs=inputs, outputs=outputs, owner=owner)

    def _node(self, node: Node, lenders: dict[str, tuple[Weight, ...]]) -> Node:
        inputs, op = self._values(node.inputs), self._ops.get(node)
        if op is None and inputs == node.inputs:
            made = node
        else:
            made = replace(node, inputs=inputs, op=op or node.op, weights=_weights(op or node.op, inputs, node.weights))
        owner = self._owner(node, lenders)
        lenders[node.name] = made.weights if owner is None else lenders[owner]
        return made if node.owner is None else made.with_weights(lenders[node.name], owner)

    def _owner(self, part: Node | Scope, known: Collection[str]) -> str | None:
        """Whose weights a part borrows now; None if they are its own."""
        if part.owner is None or part.owner in known:
            return part.owner
        assert part.name is not None
        heir = self.heirs.setdefault(part.owner, part.name)
        return None if heir == part.name else heir

    def _gone(self, region: Scope) -> list[Node]:
        gone: list[Node] = []
        for item in region.items:
            if isinstance(item, Scope):
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


def kept(graph: Graph, weights: Weights, heirs: Mapping[str, str] | None = None) -> Weights:
    """Those of the weights a graph still has, in its order, also those with other names that `heirs` own now."""
    before = {heir: gone for gone, heir in (heirs or {}).items()}
    owners = [node for node in graph.nodes if node.owner is None]
    return {
        node.weight_key(weight): weights[node.with_weights(node.weights, before.get(node.name)).weight_key(weight)]
        for node in owners
        for weight in node.weights
    }


def _weights(op: object, inputs: tuple[Value, ...], before: tuple[Weight, ...]) -> tuple[Weight, ...]:
    """The weights of a changed op: those it had before as they were."""
    assert isinstance(op, Op)
    types: list[TensorType] = [value.type for value in inputs]
    known = {(weight.name, weight.shape): weight for weight in before}
    return tuple(known.get((weight.name, weight.shape), weight) for weight in op.weights(types))
