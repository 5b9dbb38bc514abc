"""The graph as the steps of the generated source: what runs at inference, grouped by the named scopes of the spec.

A functional model has no branch for training, so nodes that run only in training are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.keras.initializers import frozen_variables, with_initializers
from archspec.lower.keras.rules import RULES
from archspec.lower.keras.rules.common import LayerCall, WeightLayout, cannot
from archspec.lower.text.code_model import Call
from archspec.ops.norm import Affine, BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm
from archspec.ops.reshape import Flatten


@dataclass(eq=False, slots=True)
class LayerStep:
    """One layer or function of the source with the calls that prepare its input, or a whole subgraph.

    Attributes:
        name: the name of the Keras layer.
        inputs: the values it reads.
        outputs: the values it computes.
        calls: the calls that compute the outputs, one after another; none for a subgraph.
        subgraph: the subgraph that this step stands for.
        owner: the layer that is called again, if the weights are shared from it.
        is_shared: whether other steps call this layer again.
        inputs_template: what the layer is called with; see `LayerCall`.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    calls: tuple[Call, ...] = ()
    subgraph: Subgraph | None = None
    owner: str | None = None
    is_shared: bool = False
    inputs_template: str | None = None


@dataclass(eq=False, slots=True)
class Subgraph:
    """The steps of a named scope. Equal subgraphs become one function of the source.

    Attributes:
        name: the name of the scope as Keras spells it, the prefix of its layers' names.
        scope: the scope of the graph.
        steps: what it runs, in order.
        inputs: the values that it reads from outside.
        outputs: its values that are read outside.
        input_names: what a block calls its inputs; empty if it does not name them.
        can_be_function: whether its layers are named after the scope, and no layer is shared across its border.
    """

    name: str
    scope: Scope
    steps: list[LayerStep]
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    input_names: tuple[str, ...] = ()
    can_be_function: bool = True

    def subgraphs(self) -> Iterator[Subgraph]:
        """The subgraphs inside and this one, inner ones first."""
        for step in self.steps:
            if step.subgraph is not None:
                yield from step.subgraph.subgraphs()
        yield self


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """All that the source and the weights of a model are written from.

    Attributes:
        root: the whole network.
        outputs: the values that the model returns.
        layer_names: the name of the Keras layer of each node, by the node's name.
        weights: the weights of each node that owns some: their keys in the state dict and their layouts in the layer.
        helpers: the classes that the source defines: their source text by name.
        tables: long lists of numbers at the head of the source, by name.
        frozen: pairs of a layer and one of its variables that is not trainable although others of the layer are.
    """

    root: Subgraph
    outputs: tuple[Value, ...]
    layer_names: Mapping[str, str]
    weights: Mapping[str, tuple[tuple[str, WeightLayout], ...]]
    helpers: Mapping[str, str]
    tables: Mapping[str, object]
    frozen: tuple[tuple[str, str], ...]


def plan(graph: Graph) -> ModelPlan:
    """Plan the source of a graph.

    Raises:
        ArchspecError: Keras cannot express an op of the graph.
    """
    tables: dict[str, object] = {}
    needed = _needed_at_inference(graph)
    owners = _owners(needed)
    _check_layers(needed, owners)
    initialized = {
        node: with_initializers(_with_owner(node, owners), layer_call, tables) for node, layer_call in needed.items()
    }
    layer_calls = _without_kept_axes(initialized, graph)
    names = _layer_names(graph, layer_calls)
    partitioner = _Partitioner(graph, layer_calls, names, owners)
    weights = {
        node.name: _keyed_weights(node, layer_call)
        for node, layer_call in layer_calls.items()
        if node.weights and node not in owners
    }
    helpers = dict(helper for layer_call in layer_calls.values() for helper in layer_call.helpers)
    frozen = tuple(
        (names[node.name], variable)
        for node, layer_call in layer_calls.items()
        for variable in frozen_variables(_with_owner(node, owners), layer_call)
    )
    root = partitioner.subgraph(graph.body)
    return ModelPlan(root, _outputs(graph, partitioner.aliases), names, weights, helpers, tables, frozen)


def _keyed_weights(node: Node, layer_call: LayerCall) -> tuple[tuple[str, WeightLayout], ...]:
    """The layouts of a layer's weights, each with the key of the weight in the state dict."""
    keys = {weight.name: node.weight_key(weight) for weight in node.weights}
    return tuple((keys[layout.weight], layout) for layout in layer_call.weights)


def _outputs(graph: Graph, aliases: Mapping[Value, Value]) -> tuple[Value, ...]:
    """The values that the network returns at inference."""
    return tuple(aliases.get(output.value, output.value) for output in graph.inference_outputs)


def _aliases(layer_calls: Mapping[Node, LayerCall]) -> dict[Value, Value]:
    """The values of nodes that need no call, each with the value that it equals."""
    aliases: dict[Value, Value] = {}
    for node, layer_call in layer_calls.items():
        if not layer_call.calls:
            source = aliases.get(node.inputs[0], node.inputs[0])
            aliases.update(dict.fromkeys(node.outputs, source))
    return aliases


def _without_kept_axes(layer_calls: Mapping[Node, LayerCall], graph: Graph) -> dict[Node, LayerCall]:
    """Drop each `flatten` after a global pooling, if nothing else reads the pooling: it then drops its axes itself."""
    readers = Counter(value for node in layer_calls for value in node.inputs)
    readers.update(output.value for output in graph.outputs)
    producers = {value: node for node in layer_calls for value in node.outputs}
    result = dict(layer_calls)
    for node in layer_calls:
        pooling = producers.get(node.inputs[0])
        if isinstance(node.op, Flatten) and pooling is not None and readers[node.inputs[0]] == 1:
            calls = layer_calls[pooling].calls
            if len(node.output_types[0].sizes) == 1 and [*map(_keeps_axes, calls)] == [True]:
                call = replace(calls[0], arguments={**calls[0].arguments, "keepdims": False})
                result |= {pooling: replace(layer_calls[pooling], calls=(call,)), node: LayerCall()}
    return result


def _keeps_axes(call: Call) -> bool:
    """Whether a call is a global pooling that keeps its axes of size 1."""
    return call.callee.startswith("layers.Global") and call.arguments.get("keepdims") is True


def _needed_at_inference(graph: Graph) -> dict[Node, LayerCall]:
    """The nodes whose values the outputs at inference depend on, each with its call.

    An input of which only the size is read, as by `crop_like`, does not count: sizes are known.
    """
    wanted = {output.value for output in graph.inference_outputs}
    needed: list[tuple[Node, LayerCall]] = []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            layer_call = RULES.apply(node, node)
            wanted.update(node.inputs[: layer_call.inputs_read])
            needed.append((node, layer_call))
    return dict(reversed(needed))


def _owners(nodes: Iterable[Node]) -> dict[Node, str]:
    """The layer that each node with shared weights calls again: of the nodes that share them, the first."""
    first: dict[str, Node] = {}
    for node in nodes:
        first.setdefault(node.owner or node.name, node)
    return {node: first[node.owner].name for node in nodes if node.owner and first[node.owner] is not node}


def _check_layers(layer_calls: Mapping[Node, LayerCall], owners: Mapping[Node, str]) -> None:
    """Check that each node with shared weights would be the same layer as their owner, which is called for it.

    Raises:
        ArchspecError: a node would be another layer than the owner of its weights.
    """
    nodes = {node.name: node for node in layer_calls}
    for node, owner in owners.items():
        if reason := difference(node, layer_calls[node], nodes[owner], layer_calls[nodes[owner]]):
            raise cannot(node, f"it shares the weights of '{owner}', which {reason}")


_OF_ONE_RANK = (BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, Affine)
"""Ops whose layers in Keras take inputs with as many axes as the first."""


def difference(node: Node, layer_call: LayerCall, owner: Node, owner_call: LayerCall) -> str | None:
    """What makes a node another layer than the owner of its weights; None if one layer can be called for both."""
    layers, others = ([call for call in each.calls if call.template is None] for each in (layer_call, owner_call))
    if layers != others:
        return "has other attributes"
    ranks = node.inputs[0].type.rank, owner.inputs[0].type.rank
    return (
        f"takes inputs of {ranks[1]} axes, not {ranks[0]}"
        if isinstance(node.op, _OF_ONE_RANK) and len({*ranks}) > 1
        else None
    )


def _with_owner(node: Node, owners: Mapping[Node, str]) -> Node:
    return node.with_weights(node.weights, owners.get(node))


def _layer_names(graph: Graph, layer_calls: Mapping[Node, LayerCall]) -> dict[str, str]:
    """The name of the Keras layer of each node: the node's name with `_` for dots, which Keras on PyTorch rejects.

    If that makes two names equal, `-` takes the place of the dots: no name in a spec contains one. Names that Keras
    generates for functions are avoided.
    """
    inputs = [value.name for value in graph.inputs]
    paths = [node.name for node in layer_calls]
    joined = [*inputs, *(path.replace(".", "_") for path in paths)]
    separator = "_" if len(set(joined)) == len(joined) else "-"
    generated = names_of_functions(call for layer_call in layer_calls.values() for call in layer_call.calls)
    names: dict[str, str] = {}
    taken = set(inputs)
    for path in paths:
        name = path.replace(".", separator)
        while name in taken or generated.fullmatch(name):
            name += f"{separator}layer"
        names[path] = name
        taken.add(name)
    return names


def names_of_functions(calls: Iterable[Call]) -> re.Pattern[str]:
    """What Keras may call the operations of those calls that are functions, in a process with any number of others."""
    functions = {call.callee for call in calls if call.template is not None}
    return re.compile(rf"({'|'.join(sorted(functions))})(_\d+)?" if functions else "(?!)")


class _Partitioner:
    """Groups the steps of a graph by its named scopes."""

    def __init__(
        self, graph: Graph, layer_calls: Mapping[Node, LayerCall], names: Mapping[str, str], owners: Mapping[Node, str]
    ) -> None:
        self.layer_calls = layer_calls
        self.names = names
        self.owners = owners
        self.shared = set(owners.values())
        self.aliases = _aliases(layer_calls)
        self.separator = "-" if any("-" in name for name in names.values()) else "_"
        self.readers: dict[Value, set[Node | None]] = {}  # None is the caller of the model
        for node in layer_calls:
            for value in self.inputs(node):
                self.readers.setdefault(value, set()).add(node)
        for value in _outputs(graph, self.aliases):
            self.readers.setdefault(value, set()).add(None)

    def inputs(self, node: Node) -> tuple[Value, ...]:
        """The values that a node reads, with aliases resolved."""
        return tuple(self.aliases.get(value, value) for value in node.inputs[: self.layer_calls[node].inputs_read])

    def subgraph(self, scope: Scope) -> Subgraph:
        subgraph = Subgraph((scope.name or "").replace(".", self.separator), scope, [])
        self.add_steps(subgraph, scope)
        inside = {node for node in scope.nodes() if node in self.layer_calls}
        computed = {value for step in subgraph.steps for value in step.outputs}
        scope_inputs = [self.aliases.get(value, value) for value in scope.inputs]
        read = dict.fromkeys(value for step in subgraph.steps for value in step.inputs if value not in computed)
        subgraph.inputs = tuple(dict.fromkeys(value for value in (*scope_inputs, *read) if value in read))
        outputs = [
            value for step in subgraph.steps for value in step.outputs if self.readers.get(value, set()) - inside
        ]
        named = {self.aliases.get(value, value): name for value, name in scope.names_of_values.items()}
        subgraph.outputs = tuple(dict.fromkeys((*(value for value in named if value in outputs), *outputs)))
        if scope.input_names:
            subgraph.input_names = tuple(named.get(value, "") for value in subgraph.inputs)
        return subgraph

    def add_steps(self, subgraph: Subgraph, scope: Scope) -> None:
        """Add the steps of a scope; scopes inside it that have no name are dissolved."""
        for item in scope.items:
            if isinstance(item, Node):
                if item in self.layer_calls and self.layer_calls[item].calls:
                    subgraph.steps.append(self.step(subgraph, item))
            elif item.name is None:
                self.add_steps(subgraph, item)
            elif any(node in self.layer_calls and self.layer_calls[node].calls for node in item.nodes()):
                inner = self.subgraph(item)
                subgraph.can_be_function &= inner.can_be_function
                subgraph.steps.append(LayerStep(inner.name, inner.inputs, inner.outputs, subgraph=inner))

    def step(self, subgraph: Subgraph, node: Node) -> LayerStep:
        layer_call = self.layer_calls[node]
        name = self.names[node.name]
        is_shared = node.name in self.shared
        is_regular = name == node.name.replace(".", self.separator)
        subgraph.can_be_function &= is_regular and node not in self.owners and not is_shared
        return LayerStep(
            name,
            self.inputs(node),
            node.outputs,
            layer_call.calls,
            owner=self.names[self.owners[node]] if node in self.owners else None,
            is_shared=is_shared,
            inputs_template=layer_call.inputs_template,
        )
