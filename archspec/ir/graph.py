"""The graph: values, the nodes that define them, and the scopes that group nodes as the spec did.

A graph is immutable and in topological order: a node comes after the nodes whose outputs it reads. `Graph.body` is the
tree of scopes, the structure of the spec; `Graph.nodes` is the same nodes in one sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from archspec.frozen import field, frozen
from archspec.ir.operation import Operation
from archspec.ir.types import TensorType, Weight

if TYPE_CHECKING:
    from archspec.diagnostics import Span


@frozen(eq=False, enforced=True)
class Value:
    """A tensor: an input of the graph, or an output of a node."""

    name: str
    type: TensorType


@frozen(eq=False, enforced=True)
class Node:
    """A layer: an op, the values it reads and defines, and its weights.

    `name` is the dotted path of the layer in the spec, and of its module in PyTorch. A node with an `owner` shares the
    weights of the node of that name and has none of its own. Its outputs are named as the node is, or `name.port` where
    the op has several.
    """

    name: str
    op: Operation
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    weights: tuple[Weight, ...] = ()
    owner: str | None = None
    span: Span | None = None

    @classmethod
    def create(
        cls,
        name: str,
        op: Operation,
        inputs: tuple[Value, ...],
        output_types: tuple[TensorType, ...],
        weights: tuple[Weight, ...] = (),
        owner: str | None = None,
        span: Span | None = None,
    ) -> Node:
        """A node with new outputs of these types."""
        if len(output_types) == 1:
            outputs: tuple[Value, ...] = (Value(name, output_types[0]),)
        else:
            named = zip(output_names(name, op), output_types, strict=True)
            outputs = tuple([Value(path, type) for path, type in named])
        return cls(name, op, inputs, outputs, weights, owner, span)

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
        """The same node with other weights, shared from the node `owner` if that is given."""
        return Node(self.name, self.op, self.inputs, self.outputs, weights, owner, self.span)

    def weight_key(self, weight: Weight) -> str:
        """The key of a weight in the state dict: `layer1.0.conv1.weight`, or `encoder.pos_embedding` of a bare one."""
        path = self.owner or self.name
        return path if weight.bare else f"{path}.{weight.name}"


def output_names(name: str, op: Operation) -> list[str]:
    """The names of the outputs of a node."""
    ports = op.ports
    return [name] if len(ports) == 1 else [f"{name}.{port}" for port in ports]


ScopeKind = Literal["network", "block", "sequential", "residual", "parallel", "path", "repeat", "iteration", "side"]


@frozen(eq=False, enforced=True)
class Scope:
    """Nodes and scopes that belong together in the spec: a block that was called, a path of a join, an iteration.

    Attributes:
        kind: the structure of the spec that it is.
        name: its dotted path, the prefix of all names inside; None where the structure adds nothing to names.
        items: what it holds, in order.
        inputs: the values it is applied to; layers inside may read others too, except in a block.
        outputs: the values that are its result.
        label: what a structure calls one of its paths.
        block: the name of the block that was called.
        arguments: the arguments of that call.
        input_names: what the block calls each of its inputs; empty if it does not name them.
        output_names: what the block calls each of its outputs; empty if it does not name them.
        owner: the name of the scope whose weights it shares.
        training_only: whether it runs only while training; a `side` can.
        span: where it is written.
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
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    @property
    def local_name(self) -> str:
        """The last part of the name; empty without a name."""
        return (self.name or "").rpartition(".")[2]

    @property
    def names_of_values(self) -> dict[Value, str]:
        """What a block calls its inputs and outputs; the first name where a value has several."""
        names = self.input_names + self.output_names
        values = (self.inputs if self.input_names else ()) + (self.outputs if self.output_names else ())
        found: dict[Value, str] = {}
        for value, name in zip(values, names, strict=True):
            found.setdefault(value, name)
        return found

    def nodes(self) -> Iterator[Node]:
        """Every node inside, in order."""
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

    def scopes(self) -> Iterator[Scope]:
        """Every scope inside, an outer one before those in it."""
        for item in self.items:
            if isinstance(item, Scope):
                yield item
                yield from item.scopes()

    def training_only_nodes(self) -> Iterator[Node]:
        """The nodes inside that run only while training."""
        scopes = [self]
        while scopes:
            scope = scopes.pop()
            if scope.training_only:
                yield from scope.nodes()
            else:
                scopes += [item for item in scope.items if isinstance(item, Scope)]


@frozen(eq=False, enforced=True)
class Output:
    """A value that the network returns, and the name it is returned under."""

    name: str
    value: Value
    training_only: bool = False


@frozen(eq=False, enforced=True)
class SizeRead:
    """An expression of the spec reads sizes of a value, so that the spec may mean another network at other sizes.

    Attributes:
        value: the value.
        text: what the expression reads, such as `in.spatial`.
        axes: the axes whose sizes that are, counted without the batch axis.
        training_only: whether only layers that run while training depend on it.
        span: where the expression is.
    """

    value: Value
    text: str
    axes: range
    training_only: bool
    span: Span


@frozen(eq=False, enforced=True)
class Graph:
    """A checked, typed network. `size_reads` are the sizes that it was built for."""

    name: str
    inputs: tuple[Value, ...]
    body: Scope
    outputs: tuple[Output, ...]
    size_reads: tuple[SizeRead, ...] = ()

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in topological order."""
        return tuple(self.body.nodes())

    @cached_property
    def training_only(self) -> frozenset[Node]:
        """The nodes that run only while training."""
        return frozenset(self.body.training_only_nodes())

    @cached_property
    def inference_outputs(self) -> tuple[Output, ...]:
        """The outputs at inference."""
        return tuple(output for output in self.outputs if not output.training_only)

    @cached_property
    def inference_nodes(self) -> tuple[Node, ...]:
        """The nodes that `inference_outputs` depend on, in order."""
        return self._nodes_of(self.inference_outputs)

    @cached_property
    def unused(self) -> frozenset[Node]:
        """The nodes that no output depends on. They never run, but their weights belong to the network."""
        return frozenset(self.nodes).difference(self._nodes_of(self.outputs))

    def _nodes_of(self, outputs: Iterable[Output]) -> tuple[Node, ...]:
        """The nodes that these outputs depend on, in order."""
        needed = {output.value for output in outputs}
        nodes: list[Node] = []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                needed.update(node.inputs)
                nodes.append(node)
        return tuple(reversed(nodes))

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Every weight once, with its key in the state dict; shared weights belong to their owner."""
        for node in self.nodes:
            if node.owner is None:
                for weight in node.weights:
                    yield node.weight_key(weight), weight
