"""Rewriting a graph: nodes changed, replaced or removed, in the same scopes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.ir.types import TensorType, Weight
from archspec.lower.weights import Weights
from archspec.ops import Op


class GraphRewriter:
    """Collects changes to a graph and applies them together."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._replaced: dict[Value, Value] = {}
        self._ops: dict[Node, Op] = {}
        self._removed: set[Node | Scope] = set()
        self.new_owners: dict[str, str] = {}
        """For each removed weight owner, the first node or scope that shared its weights, which now owns them."""

    def remove(self, item: Node | Scope) -> None:
        """Remove a node or a scope. Uses of its outputs have to be replaced with `replace_uses`."""
        self._removed.add(item)

    def replace_uses(self, old: Value, new: Value) -> None:
        """Replace all uses of a value by another value of the same type."""
        self._replaced[old] = new

    def change_op(self, node: Node, op: Op) -> None:
        """Give a node another op whose outputs have the same types."""
        self._ops[node] = op

    def rewritten(self) -> Graph:
        """The graph with all changes applied; outputs and layers keep their names."""
        if not (self._replaced or self._ops or self._removed):
            return self.graph
        body = self._scope(self.graph.body, {})
        dropped = {value for node in self._dropped(self.graph.body) for value in node.outputs}
        outputs = [replace(output, value=self._value(output.value)) for output in self.graph.outputs]
        outputs = [output for output in outputs if output.value not in dropped]
        body = replace(body, outputs=tuple([output.value for output in outputs]))
        reads = [replace(read, value=self._value(read.value)) for read in self.graph.size_reads]
        return replace(self.graph, body=body, outputs=tuple(outputs), size_reads=tuple(reads))

    def _value(self, value: Value) -> Value:
        while value in self._replaced:
            value = self._replaced[value]
        return value

    def _values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(map(self._value, values))

    def _scope(self, scope: Scope, weights: dict[str, tuple[Weight, ...]]) -> Scope:
        """A scope with its changes applied; `weights` are those of the items so far, by name."""
        owner = self._owner(scope, weights)
        if scope.name:
            weights.setdefault(scope.name, ())
        items: list[Node | Scope] = []
        for item in scope.items:
            if item in self._removed:
                continue
            if isinstance(item, Scope):
                inner = self._scope(item, weights)
                items += [inner] if inner.items else []
            else:
                items.append(self._node(item, weights))
        inputs, outputs = self._values(scope.inputs), self._values(scope.outputs)
        return replace(scope, items=tuple(items), inputs=inputs, outputs=outputs, owner=owner)

    def _node(self, node: Node, weights: dict[str, tuple[Weight, ...]]) -> Node:
        inputs, op = self._values(node.inputs), self._ops.get(node)
        changed = node
        if op is not None or inputs != node.inputs:
            new_weights = _weights(op or node.op, inputs, node.weights)
            changed = replace(node, inputs=inputs, op=op or node.op, weights=new_weights)
        owner = self._owner(node, weights)
        weights[node.name] = changed.weights if owner is None else weights[owner]
        return changed if node.owner is None else changed.with_weights(weights[node.name], owner)

    def _owner(self, item: Node | Scope, known: Collection[str]) -> str | None:
        """The item whose weights this one shares after the changes; None if it owns its weights."""
        if item.owner is None or item.owner in known:
            return item.owner
        assert item.name is not None
        new_owner = self.new_owners.setdefault(item.owner, item.name)
        return None if new_owner == item.name else new_owner

    def _dropped(self, scope: Scope) -> list[Node]:
        """The removed nodes whose outputs are not replaced."""
        dropped: list[Node] = []
        for item in scope.items:
            if isinstance(item, Scope):
                dropped += item.nodes() if item in self._removed else self._dropped(item)
            elif item in self._removed and item.outputs[0] not in self._replaced:
                dropped.append(item)
        return dropped


def readers(graph: Graph) -> dict[Value, list[Node]]:
    """The nodes that read each value."""
    nodes: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            nodes.setdefault(value, []).append(node)
    return nodes


def remaining_weights(graph: Graph, weights: Weights, new_owners: Mapping[str, str] | None = None) -> Weights:
    """The weights that a rewritten graph has, in its order, under the names of their new owners."""
    old_owners = {new: old for old, new in (new_owners or {}).items()}
    return {
        node.weight_key(weight): weights[node.with_weights(node.weights, old_owners.get(node.name)).weight_key(weight)]
        for node in graph.nodes
        if node.owner is None
        for weight in node.weights
    }


def _weights(op: object, inputs: tuple[Value, ...], before: tuple[Weight, ...]) -> tuple[Weight, ...]:
    """The weights of a changed op; those with the same name and shape are reused."""
    assert isinstance(op, Op)
    types: list[TensorType] = [value.type for value in inputs]
    known = {(weight.name, weight.shape): weight for weight in before}
    return tuple(known.get((weight.name, weight.shape), weight) for weight in op.weights(types))
