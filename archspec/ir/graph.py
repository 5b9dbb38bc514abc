"""The graph: values, the nodes that make them, and the regions that say how the spec grouped them.

A graph is immutable and topological: a node comes after the nodes whose values it reads. It is one tree, read in
two ways: `Graph.body` keeps the structure the spec was written in, `Graph.nodes` is the same nodes in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from archspec.ir.operation import Operation
from archspec.ir.types import TensorType, Weight

if TYPE_CHECKING:
    from archspec.diagnostics import Span


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor that flows: an input of the graph, or an output of a node."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One op at work: what it reads, what it makes, and the weights it owns or borrows.

    `name` is the dotted path of the layer in the spec, under which PyTorch finds its module. A node with an `owner`
    uses the weights of the node of that name and adds none of its own.
    """

    name: str
    op: Operation
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    weights: tuple[Weight, ...] = ()
    owner: str | None = None
    span: Span | None = None

    @property
    def local_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        return tuple([value.type for value in self.inputs])

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        return tuple([value.type for value in self.outputs])

    def with_weights(self, weights: tuple[Weight, ...], owner: str | None = None) -> Node:
        """The same node with other weights, those of the node `owner` if it borrows them."""
        return Node(self.name, self.op, self.inputs, self.outputs, weights, owner, self.span)

    def weight_key(self, weight: Weight) -> str:
        """The name of a weight in the state dict: `layer1.0.conv1.weight`, or of a bare one `encoder.pos_embedding`."""
        path = self.owner or self.name
        return path if weight.bare else f"{path}.{weight.name}"


ScopeKind = Literal["network", "block", "sequential", "residual", "parallel", "path", "repeat", "iteration", "side"]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A stretch of the spec that belongs together: a block called, a path of a join, one round of a repeat.

    `name` is the dotted path it adds to the names inside, or None where the structure is transparent. `block` is the
    name of the block that was called, `arguments` what it was called with. `label` is what a structure calls one of its
    paths. What flows in and out is in `inputs` and `outputs`.
    """

    kind: ScopeKind
    name: str | None
    items: tuple[Node | Scope, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    label: str | None = None
    block: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    owner: str | None = None
    training_only: bool = False
    span: Span | None = None

    @property
    def local_name(self) -> str:
        """The last part of the name; empty where the structure is transparent."""
        return (self.name or "").rpartition(".")[2]

    def nodes(self) -> Iterator[Node]:
        """Every node below, in order."""
        stack: list[Iterator[Node | Scope]] = [iter(self.items)]
        while stack:
            for item in stack[-1]:
                if isinstance(item, Node):
                    yield item
                else:
                    stack.append(iter(item.items))
                    break
            else:
                stack.pop()

    def training_only_nodes(self) -> Iterator[Node]:
        """The nodes below that run only while training, because a `side` says so."""
        if self.training_only:
            yield from self.nodes()
        else:
            for item in self.items:
                if isinstance(item, Scope):
                    yield from item.training_only_nodes()


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A value the network returns, under the name it is returned by."""

    name: str
    value: Value
    training_only: bool = False


@dataclass(frozen=True, eq=False)
class Graph:
    """A checked, typed network."""

    name: str
    inputs: tuple[Value, ...]
    body: Scope
    outputs: tuple[Output, ...]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, each after those it reads from."""
        return tuple(self.body.nodes())

    @cached_property
    def training_only(self) -> frozenset[Node]:
        """The nodes that run only while training."""
        return frozenset(self.body.training_only_nodes())

    @cached_property
    def inference_outputs(self) -> tuple[Output, ...]:
        """What is returned when the network is not training."""
        return tuple(output for output in self.outputs if not output.training_only)

    @cached_property
    def inference_nodes(self) -> tuple[Node, ...]:
        """The nodes that `inference_outputs` depend on, in order."""
        needed = {output.value for output in self.inference_outputs}
        found: list[Node] = []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                needed.update(node.inputs)
                found.append(node)
        return tuple(reversed(found))

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Every weight once, with its name in the state dict; shared weights belong to their owner."""
        for node in self.nodes:
            if node.owner is None:
                for weight in node.weights:
                    yield node.weight_key(weight), weight
