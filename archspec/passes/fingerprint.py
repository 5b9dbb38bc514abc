"""The fingerprint of a network: a short hash of its structure, to notice in CI that silu became relu.

It covers the ops and their attributes, what each layer reads, which layers share weights, what is fixed or frozen, the
types and the order of the inputs, and the order of the outputs. It does not depend on names, on blocks and structures
around layers, on the order of layers that do not read one another, or on initial values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archspec.ir.graph import Graph, Node, Value
from archspec.ops.merge import Join

VERSION = "v1"
"""The version of the algorithm, with which a fingerprint starts."""

_DIGITS = 12


def fingerprint(graph: Graph) -> str:
    """The fingerprint of a graph, such as `v1-3f9a2c81d0be`: the same with every version of Python.

    Layers are numbered in the order in which a walk from the outputs reaches them, which no name changes. Those that no
    output depends on follow; they have weights, too.
    """
    numbering = _Numbering(graph)
    numbering.walk(numbering.origins[output.value][0] for output in graph.outputs if output.value in numbering.origins)
    numbering.walk(numbering.unused_ends())
    structure = [
        [[value.type.dtype, *value.type.sizes] for value in graph.inputs],
        [numbering.record(node) for node in numbering.nodes],
        [[numbering.reference(output.value), output.training_only] for output in graph.outputs],
    ]
    return f"{VERSION}-{_hash(structure)}"


class _Numbering:
    """The numbers of nodes in the order in which they are reached."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.origins = {value: (node, port) for node in graph.nodes for port, value in enumerate(node.outputs)}
        self.inputs = {value: number for number, value in enumerate(graph.inputs)}
        self.named = {node.name: node for node in graph.nodes}
        self.nodes: dict[Node, int] = {}

    def walk(self, starts: Iterable[Node]) -> None:
        """Number the nodes that these depend on, and those whose weights they share, each when it is first reached."""
        waiting = list(starts)[::-1]
        while waiting:
            node = waiting.pop()
            if node not in self.nodes:
                self.nodes[node] = len(self.nodes)
                waiting += [*self.needed(node)][::-1]

    def needed(self, node: Node) -> Iterator[Node]:
        """The nodes that a node reads, in order, and the one whose weights it shares."""
        yield from (self.origins[value][0] for value in node.inputs if value in self.origins)
        if node.owner is not None:
            yield self.named[node.owner]

    def unused_ends(self) -> list[Node]:
        """The nodes without a number that no other such node needs, in an order that depends on what they compute."""
        rest = [node for node in self.graph.nodes if node not in self.nodes]
        needed = {other for node in rest for other in self.needed(node)}
        hashes: dict[Node, str] = {}
        for node in rest:
            hashes[node] = _hash([_described(node), [hashes.get(other) for other in self.needed(node)]])
        return sorted((node for node in rest if node not in needed), key=hashes.__getitem__)

    def record(self, node: Node) -> list[object]:
        """A node without its names."""
        owner = None if node.owner is None else self.nodes[self.named[node.owner]]
        return [*_described(node), [self.reference(value) for value in node.inputs], owner]

    def reference(self, value: Value) -> Sequence[int]:
        """A value by the number of its node and its port, or by the number of the input alone."""
        if value in self.inputs:
            return (self.inputs[value],)
        node, port = self.origins[value]
        return self.nodes[node], port


def _described(node: Node) -> list[object]:
    """The op with its attributes, and its weights that are fixed or frozen."""
    crops = isinstance(node.op, Join) and node.op.crops
    fixed = [
        [weight.name, weight.initializer.options if weight.initializer.kind == "values" else None]
        for weight in node.weights
        if not (weight.trainable or weight.buffer or node.owner)
    ]
    return [node.op.kind, node.op.canonical_attributes(), crops, fixed]


def _hash(structure: object) -> str:
    import json
    from hashlib import sha256

    text = json.dumps(_plain(structure), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def _plain(value: object) -> object:
    """A value as JSON has it. A whole number is one number, whatever its type."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | float | str | None) else str(value)
