"""The verifier: proves that a graph is well formed, and that its types and weights are those its ops declare.

It runs after every transform of `archspec.lower.optimize`, at the end of `GraphBuilder.build`, and in the tests after
the front end. A fault is a bug in code that builds or changes graphs, so the messages name nodes and scopes.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.ir.graph import Graph, Node, Scope, Value, output_names
from archspec.ir.initializers import INITIALIZERS, OF_KERNELS, misfit
from archspec.ir.operation import OpError
from archspec.ir.types import Weight


def verify(graph: Graph, *, after: str | None = None) -> None:
    """Check the structure of a graph, and infer all its types and weights again.

    Args:
        graph: the graph to check.
        after: what produced it, to be named in the message: the name of a transform.

    Raises:
        ArchspecError: one `invalid-graph` diagnostic per fault. A value is read before it is defined; a name is not
            unique or not below the scope around it; a scope has the wrong inputs, outputs or weight owner; a type or a
            weight is not what the op declares; a weight is shared from a node without it; an output is unknown.
    """
    # The types of a graph with a broken structure would only repeat what is wrong with it.
    faults = [*_Structure(graph).faults()] or [*_nodes(graph)]
    if faults:
        source = f" after '{after}'" if after else ""
        raise ArchspecError(
            Diagnostic("invalid-graph", f"the graph '{graph.name}'{source} is invalid: {fault}") for fault in faults
        )


class _Structure:
    """One walk over the scopes of a graph, in order."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.defined: dict[Value, int] = {}
        """Every value defined so far, by the number of nodes before it; inputs of the graph come first."""
        self.value_names: set[str] = set()
        self.names: set[str] = set()
        """The names of nodes and of named scopes so far."""
        self.items: set[Node | Scope] = set()
        self.nodes: dict[str, Node] = {}
        self.scopes: set[str] = set()
        """The names of scopes that were entered."""

    def faults(self) -> Iterator[str]:
        graph, body = self.graph, self.graph.body
        for value in graph.inputs:
            yield from self.define(value, "the graph")
        if body.kind != "network" or body.name != "":
            yield f"its body is a {body.kind} scope named {body.name!r}, not a network scope named ''"
        if body.inputs != graph.inputs:
            yield f"its body has the inputs {_names(body.inputs)}, the graph has {_names(graph.inputs)}"
        if body.outputs != tuple(output.value for output in graph.outputs):
            expected = _names(tuple(output.value for output in graph.outputs))
            yield f"its body has the outputs {_names(body.outputs)}, the graph has {expected}"
        yield from self.contents(body, "")
        yield from self.outputs()

    def contents(self, scope: Scope, prefix: str) -> Iterator[str]:
        """Check what a scope holds. `prefix` is the name of the closest named scope, itself included."""
        for item in scope.items:
            if item in self.items:
                yield f"'{item.name}' is in the graph twice"
                continue
            self.items.add(item)
            if isinstance(item, Scope):
                yield from self.scope(item, prefix)
            else:
                yield from self.node(item, prefix)

    def name(self, name: str, prefix: str, what: str) -> Iterator[str]:
        """Check that a name is new, and the name of the scope around it with one part more."""
        parent, _, local = name.rpartition(".")
        if parent != prefix or not local:
            inside = f"the scope '{prefix}'" if prefix else "no named scope"
            yield f"{what} is in {inside}, which is not the prefix of its name"
        if name in self.names:
            yield f"two nodes or scopes are named '{name}'"
        self.names.add(name)

    def scope(self, scope: Scope, prefix: str) -> Iterator[str]:
        what = f"the {scope.kind} scope '{scope.name}'" if scope.name is not None else f"a {scope.kind} scope"
        what += f" in '{prefix}'" if scope.name is None and prefix else ""
        if scope.name is not None:
            yield from self.name(scope.name, prefix, what)
        start, inside = len(self.nodes), scope.name or prefix
        yield from (f"{what} has the input '{v.name}' before it is defined" for v in self.undefined(scope.inputs))
        if scope.owner is not None:
            yield from self.scope_owner(scope, what)
        if scope.kind == "network":
            yield f"{what} is not the body of the graph"
        if scope.kind == "block" and not scope.block:
            yield f"{what} does not name its block"
        for kind, names, values in (
            ("inputs", scope.input_names, scope.inputs),
            ("outputs", scope.output_names, scope.outputs),
        ):
            if names and len(names) != len(values):
                yield f"{what} has {len(values)} {kind} and names {len(names)}"
        if scope.name is not None:
            self.scopes.add(scope.name)
        yield from self.contents(scope, inside)
        if not scope.outputs:
            yield f"{what} has no outputs"
        yield from (f"{what} has the output '{v.name}', which is not defined" for v in self.undefined(scope.outputs))
        if scope.kind == "block":
            yield from self.closed(scope, start, what)

    def closed(self, scope: Scope, start: int, what: str) -> Iterator[str]:
        """Check that a block reads and returns nothing but its inputs and what its own nodes define."""
        inputs = set(scope.inputs)
        for node in scope.nodes():
            for value in node.inputs:
                if value not in inputs and self.defined.get(value, start + 1) <= start:
                    yield f"'{node.name}' reads '{value.name}', which is neither inside {what} nor one of its inputs"
        for value in scope.outputs:
            if value not in inputs and self.defined.get(value, start + 1) <= start:
                yield f"{what} has the output '{value.name}', which is neither inside it nor one of its inputs"

    def scope_owner(self, scope: Scope, what: str) -> Iterator[str]:
        if scope.owner not in self.scopes and scope.owner not in self.nodes:
            yield f"{what} shares the weights of '{scope.owner}', which is not before it"
        for node in scope.nodes():
            if node.weights and node.owner is None:
                yield f"{what} shares the weights of '{scope.owner}', but '{node.name}' in it owns weights"

    def node(self, node: Node, prefix: str) -> Iterator[str]:
        yield from self.name(node.name, prefix, f"'{node.name}'")
        yield from (f"'{node.name}' reads '{value.name}' before it is defined" for value in self.undefined(node.inputs))
        arity, ports = node.op.inputs, node.op.ports
        if not node.inputs or (arity is not None and len(node.inputs) != arity):
            yield f"'{node.name}' has {len(node.inputs)} inputs, and its op takes {arity or 'one or more'}"
        if len(set(ports)) < len(ports) or len(node.outputs) != len(ports):
            yield f"'{node.name}' has {len(node.outputs)} outputs, and its op has the ports {', '.join(ports)}"
        else:
            for value, name in zip(node.outputs, output_names(node.name, node.op), strict=True):
                if value.name != name:
                    yield f"'{node.name}' has an output named '{value.name}', not '{name}'"
        if node.owner is not None:
            yield from self.node_owner(node)
        self.nodes[node.name] = node
        for value in node.outputs:
            yield from self.define(value, f"'{node.name}'")

    def node_owner(self, node: Node) -> Iterator[str]:
        owner = self.nodes.get(node.owner or "")
        if owner is None or owner.owner is not None:
            yield f"'{node.name}' shares the weights of '{node.owner}', which is not a node before it that owns weights"
        elif owner.weights != node.weights:
            yield f"'{node.name}' shares the weights of '{node.owner}', but has others: {_weights(node.weights)}"
        elif not node.weights:
            yield f"'{node.name}' shares the weights of '{node.owner}', which has none"

    def define(self, value: Value, what: str) -> Iterator[str]:
        if value in self.defined:
            yield f"{what} defines '{value.name}' a second time"
        elif value.name in self.value_names:
            yield f"{what} defines a second value named '{value.name}'"
        self.defined[value] = len(self.nodes)
        self.value_names.add(value.name)

    def undefined(self, values: tuple[Value, ...]) -> list[Value]:
        return [value for value in values if value not in self.defined]

    def outputs(self) -> Iterator[str]:
        if not self.graph.outputs:
            yield "it has no outputs"
        inputs = {value.name for value in self.graph.inputs}
        training_only = {value for node in self.graph.training_only for value in node.outputs}
        names: set[str] = set()
        for output in self.graph.outputs:
            if output.name in names:
                yield f"two outputs are named '{output.name}'"
            if output.name in inputs:
                yield f"an input and an output are named '{output.name}'"
            names.add(output.name)
            if output.value not in self.defined:
                yield f"the output '{output.name}' is the value '{output.value.name}', which is not defined"
            elif output.training_only != (output.value in training_only):
                runs = "only while training" if output.value in training_only else "at inference, too"
                yield f"the output '{output.name}' is not marked as its layer is, which runs {runs}"
        if self.graph.outputs and not self.graph.inference_outputs:
            yield "all of its outputs are for training only"
        for node in self.graph.nodes if training_only else ():
            if node not in self.graph.training_only and not training_only.isdisjoint(node.inputs):
                yield f"'{node.name}' runs at inference, and reads what runs only while training"


def _nodes(graph: Graph) -> Iterator[str]:
    """Check the types and the weights of every node, and that no two weights have one key in the state dict."""
    keys: set[str] = set()
    for node in graph.nodes:
        try:
            inferred = node.op.infer(node.input_types)
            declared = node.op.weights(node.input_types)
        except OpError as error:
            yield f"the op of '{node.name}' cannot take its inputs: {error.message}"
            continue
        if inferred != node.output_types:
            have, want = (", ".join(map(str, types)) for types in (node.output_types, inferred))
            yield f"'{node.name}' has outputs of type {have}, and its op infers {want}"
        if [weight.name for weight in node.weights] != [weight.name for weight in declared]:
            yield f"'{node.name}' has {_weights(node.weights)}, and its op declares {_weights(declared)}"
            continue
        for weight, expected in zip(node.weights, declared, strict=True):
            yield from (f"the {weight.name} of '{node.name}' {fault}" for fault in _weight(weight, expected))
            if node.owner is None:
                key = node.weight_key(weight)
                if key in keys:
                    yield f"two weights have the key '{key}' in the state dict"
                keys.add(key)


def _weight(weight: Weight, declared: Weight) -> Iterator[str]:
    """Check a weight against the op's declaration; a spec may change its initializer and freeze it."""
    for field in ("shape", "dtype", "buffer", "bare"):
        have, want = getattr(weight, field), getattr(declared, field)
        if have != want:
            yield f"has {field} {have}, and its op declares {want}"
    if weight.trainable and not declared.trainable:
        yield "is trainable, and its op declares it fixed"
    initializer = weight.initializer
    if initializer == declared.initializer:
        return
    if weight.buffer:
        yield f"is a buffer initialized with {initializer.kind}, and its op declares {declared.initializer.kind}"
    elif initializer.kind == "values":
        if weight.trainable:
            yield "has fixed values and is trainable"
    elif initializer.kind not in INITIALIZERS:
        yield f"has the unknown initializer '{initializer.kind}'"
    elif set(initializer.options) != set(INITIALIZERS[initializer.kind]):
        yield f"has the options {sorted(initializer.options)} for the initializer '{initializer.kind}'"
    elif reason := misfit(initializer.kind, () if weight.bare and initializer.kind in OF_KERNELS else weight.shape):
        yield f"has shape {list(weight.shape)}, but {reason}"


def _names(values: tuple[Value, ...]) -> str:
    return "(" + ", ".join(value.name for value in values) + ")"


def _weights(weights: tuple[Weight, ...]) -> str:
    described = [f"{weight.name} {list(weight.shape)}" for weight in weights]
    return f"the weights {', '.join(described)}" if described else "no weights"
