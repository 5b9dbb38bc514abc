"""`GraphBuilder`: a graph built in Python, op by op, with types inferred and checked as it grows.

It knows ops by the `Operation` protocol alone; `archspec.ops` has those of the language:

    from archspec.ir import GraphBuilder
    from archspec.ops import Add, Conv, Relu

    b = GraphBuilder("tiny")
    image = b.input("image", (3, 32, 32))
    x = b.apply(Conv(channels=8, kernel=3, padding=1), image)
    with b.scope("stage1", kind="block", block="basic"):
        y = b.apply(Conv(channels=8, kernel=3, padding=1), x, name="conv")
        y = b.apply(Relu(), y)
        x = b.apply(Add(), x, y)
    b.output("features", x)
    graph = b.build()
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from archspec.diagnostics import did_you_mean, fail
from archspec.ir.graph import Graph, Node, Output, Scope, ScopeKind, Value
from archspec.ir.operation import Operation, OpError
from archspec.ir.types import DType, Initializer, TensorType, Weight, buffer_contents
from archspec.ir.verifier import verify

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_GRAPH_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


@dataclass(slots=True, eq=False)
class _OpenScope:
    """A scope that is being filled. `prefix` is the name of the closest named scope, itself included."""

    kind: ScopeKind
    name: str | None
    prefix: str
    label: str | None = None
    block: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    owner: str | None = None
    training_only: bool = False
    indexed: bool = False
    items: list[Node | _OpenScope] = field(default_factory=list)


class GraphBuilder:
    """Builds one graph. Layers come in the order they run; `build` returns the verified graph.

    Every method raises an `ArchspecError` without a span, and with the code that the same error has in a spec. After an
    error the builder is as it was before the call.
    """

    def __init__(self, name: str) -> None:
        """Start an empty graph.

        Args:
            name: the name of the network: letters, digits and `_ . + -`.

        Raises:
            ArchspecError: `bad-name`.
        """
        if not _GRAPH_NAME.fullmatch(name):
            raise fail("bad-name", f"'{name}' cannot be the name of a network", help="use letters, digits and _ . + -")
        self.name = name
        self._inputs: list[Value] = []
        self._outputs: list[tuple[str, Value]] = []
        self._body = _OpenScope("network", "", "")
        self._open = [self._body]
        self._names: set[str] = set()
        self._counts: dict[tuple[str, str], int] = {}
        self._defined: dict[Value, Node | None] = {}
        self._nodes: dict[str, Node] = {}
        self._scopes: dict[str, str] = {}
        """The named scopes, each with the one whose weights it has: itself, or another."""

    def input(self, name: str, sizes: Sequence[int], dtype: DType = DType.FLOAT32) -> Value:
        """Declare an input of the graph.

        Args:
            name: its name.
            sizes: the sizes of one sample, without the batch axis: `(3, 224, 224)`.
            dtype: the type of its elements.

        Raises:
            ArchspecError: `bad-name`, `duplicate-name`, or `wrong-size` if a size is below 1.
        """
        _check_name(name)
        self._check_new(name)
        if not all(size >= 1 for size in sizes):
            raise fail("wrong-size", f"the input '{name}' has a size below 1: {list(sizes)}")
        value = Value(name, TensorType(tuple(sizes), dtype))
        self._names.add(name)
        self._inputs.append(value)
        self._defined[value] = None
        return value

    def apply(
        self,
        op: Operation,
        *inputs: Value,
        name: str | None = None,
        share: Value | str | None = None,
        initializers: Mapping[str, Initializer] | None = None,
        trainable: bool = True,
    ) -> Value:
        """Apply an op with one output: add its layer to the scope that is open.

        Args:
            op: the op with its attributes.
            inputs: the values it reads.
            name: the name of the layer in its scope; else the op's kind, numbered if that is taken.
            share: use the weights of another layer, given by its name or an output of it, instead of new ones.
            initializers: by the names of weights, where they differ from what the op declares. A weight with the
                initializer `values` is fixed.
            trainable: whether an optimizer may change its weights.

        Returns:
            The output, with the type the op infers.

        Raises:
            ArchspecError: the op cannot take the inputs, or has several outputs; a value is not of this graph; the
                name is taken or cannot be one; there are no such weights to share or to initialize.
        """
        if len(op.ports) != 1:
            message = f"'{op.kind}' has the outputs {', '.join(op.ports)}, not one"
            raise fail("wrong-arity", message, help="call apply_all, which returns all of them")
        (output,) = self.apply_all(
            op, *inputs, name=name, share=share, initializers=initializers, trainable=trainable
        )  # fmt: skip
        return output

    def apply_all(
        self,
        op: Operation,
        *inputs: Value,
        name: str | None = None,
        share: Value | str | None = None,
        initializers: Mapping[str, Initializer] | None = None,
        trainable: bool = True,
    ) -> tuple[Value, ...]:
        """Apply an op with any number of outputs; otherwise as `apply`.

        Returns:
            The outputs, one per port of the op.
        """
        path = self._path(name, op.kind)
        types, weights = self._infer(op, inputs, path)
        weights, owner = self._shared(op, path, weights, share)
        if owner is None:
            weights = _initialized(op, weights, initializers or {}, trainable)
        elif initializers or not trainable:
            message = f"'{path}' shares the weights of '{owner}'"
            raise fail("wrong-share", message, help=f"set initializers and trainable at '{owner}'")
        node = Node.create(path, op, inputs, types, weights, owner)
        self._take(name, op.kind, path)
        self._nodes[path] = node
        self._defined.update(dict.fromkeys(node.outputs, node))
        self._open[-1].items.append(node)
        return node.outputs

    @contextmanager
    def scope(
        self,
        name: str | None = None,
        *,
        kind: ScopeKind = "sequential",
        block: str | None = None,
        arguments: Mapping[str, object] | None = None,
        label: str | None = None,
        share: str | None = None,
        training_only: bool = False,
        indexed: bool = False,
    ) -> Iterator[None]:
        """Open a scope: the layers applied in the `with` statement belong to it.

        A named scope becomes a submodule, and prefixes the names in it. Its inputs are what it reads from outside, its
        outputs what is read of it outside. Any layer after it may read its values. A scope without layers is dropped.

        Args:
            name: the name in the scope around it; None for a scope that adds none to the names in it.
            kind: the structure of the spec language it stands for.
            block: for the kind `block`, the name that all calls of the same block have in common.
            arguments: what the block is called with, to be shown in diagrams.
            label: for the kind `path`, what the structure around it calls the path.
            share: use the weights of an earlier scope: each layer those of the layer with the same name there.
            training_only: for the kind `side`, whether it runs only while training.
            indexed: name layers without a name by number, as `nn.Sequential` does.

        Raises:
            ArchspecError: the name is taken or cannot be one; a block has no `block`; there is no scope to share with.
        """
        if (kind == "block") != (block is not None):
            raise fail(
                "missing-argument", f"a scope of the kind '{kind}' {'needs' if block is None else 'has no'} block"
            )
        if training_only and kind != "side":
            raise fail(
                "training-only", f"a scope of the kind '{kind}' cannot run only while training", help="kind='side'"
            )
        around = self._open[-1]
        if share is not None and (name is None or share not in self._scopes):
            help = "a scope that shares weights needs a name" if name is None else did_you_mean(share, self._scopes)
            raise fail("wrong-share", f"there is no scope '{share}' whose weights '{name}' could share", help=help)
        path = None if name is None else self._path(name, "")
        owner = None if share is None else self._scopes[share]
        if share is None and path is not None and around.owner is not None:
            owner = around.owner + path.removeprefix(around.prefix)
        elif path is None:
            owner = around.owner
        scope = _OpenScope(
            kind, path, around.prefix if path is None else path, label, block,
            arguments or {}, owner, training_only, indexed or (path is None and around.indexed),
        )  # fmt: skip
        if path is not None:
            self._names.add(path)
            self._scopes[path] = owner or path
        around.items.append(scope)
        self._open.append(scope)
        try:
            yield
        finally:
            self._open.pop()

    def output(self, name: str, value: Value) -> None:
        """Return a value from the graph under a name.

        Raises:
            ArchspecError: `bad-name`, `duplicate-name`, or `unknown-layer` if the value is not of this graph.
        """
        _check_name(name)
        if any(name == other for other, _ in self._outputs) or any(name == value.name for value in self._inputs):
            raise fail("duplicate-name", f"an input or an output is named '{name}' already")
        self._check_defined((value,))
        self._outputs.append((name, value))

    def build(self) -> Graph:
        """The graph, verified.

        Raises:
            ArchspecError: `invalid-graph` if a scope is still open, there is no output, or a weight cannot be
                initialized as asked.
        """
        if len(self._open) > 1:
            raise fail("invalid-graph", f"the scope '{self._open[-1].name or self._open[-1].kind}' is still open")
        inputs, returned = tuple(self._inputs), tuple(value for _, value in self._outputs)
        uses = _Uses(self._nodes.values(), returned)
        body = replace(_closed(self._body, uses), inputs=inputs, outputs=returned)
        training_only = {value for node in body.training_only_nodes() for value in node.outputs}
        outputs = tuple(Output(name, value, value in training_only) for name, value in self._outputs)
        graph = Graph(self.name, inputs, body, outputs)
        verify(graph)
        return graph

    # --- names ---

    def _path(self, name: str | None, base: str) -> str:
        """The dotted path of a child of the open scope: of this name, or numbered after `base`."""
        scope = self._open[-1]
        join = f"{scope.prefix}.".lstrip(".")
        if name is not None:
            _check_name(name)
            self._check_new(join + name)
            return join + name
        base = "" if scope.indexed else base
        count = self._counts.get((scope.prefix, base), 0)
        while (path := join + (f"{base}_{count}" if base and count else base or str(count))) in self._names:
            count += 1
        return path

    def _take(self, name: str | None, base: str, path: str) -> None:
        """Note that a path is taken, and that automatic names go on after it."""
        scope = self._open[-1]
        self._names.add(path)
        if name is None:
            key = (scope.prefix, "" if scope.indexed else base)
            self._counts[key] = self._counts.get(key, 0) + 1

    def _check_new(self, path: str) -> None:
        if path in self._names:
            raise fail("duplicate-name", f"'{path}' is the name of another layer or scope", help="choose another name")

    # --- ops ---

    def _check_defined(self, values: Sequence[Value]) -> None:
        for value in values:
            if value not in self._defined:
                raise fail("unknown-layer", f"the value '{value.name}' is not of the graph '{self.name}'")

    def _infer(
        self, op: Operation, inputs: Sequence[Value], path: str
    ) -> tuple[tuple[TensorType, ...], tuple[Weight, ...]]:
        self._check_defined(inputs)
        notes = [("input:", str(value.type), f"from {value.name}") for value in inputs]
        if len(inputs) != op.inputs if op.inputs is not None else not inputs:
            message = f"'{op.kind}' takes {op.inputs or 'one or more'} values, and '{path}' has {len(inputs)}"
            raise fail("wrong-arity", message, notes=notes)
        types = tuple(value.type for value in inputs)
        try:
            return op.infer(types), op.weights(types)
        except OpError as error:
            raise fail(error.code, error.message, notes=[("layer:", path), *notes], help=error.help) from error

    def _shared(
        self, op: Operation, path: str, weights: tuple[Weight, ...], share: Value | str | None
    ) -> tuple[tuple[Weight, ...], str | None]:
        """The weights of a new node, and the node that owns them if it is another."""
        scope = self._open[-1]
        if isinstance(share, Value):
            self._check_defined((share,))
            node = self._defined[share]
            share = share.name if node is None else node.name
        elif share is None and scope.owner is not None and weights:
            share = scope.owner + path.removeprefix(scope.prefix)
        if share is None:
            return weights, None
        owner = self._nodes.get(share)
        if owner is None or not owner.weights:
            help = did_you_mean(share, [name for name, node in self._nodes.items() if node.weights])
            raise fail("wrong-share", f"'{share}' has no weights for '{path}' to share", help=help)
        if [(weight.name, weight.shape) for weight in weights] != [(w.name, w.shape) for w in owner.weights]:
            notes = [(f"{name}:", _described(some)) for name, some in ((path, weights), (share, owner.weights))]
            raise fail("wrong-share", f"'{path}' cannot share weights of other shapes", notes=notes)
        if buffer_contents(weights) != buffer_contents(owner.weights):
            raise fail("wrong-share", f"'{path}' cannot share the weights of '{share}', which are for other attributes")
        if [weight.bare for weight in weights] != [weight.bare for weight in owner.weights]:
            raise fail("wrong-share", f"'{path}' cannot share the weights of '{owner.op.kind}'")
        return owner.weights, owner.owner or owner.name


class _Uses:
    """Where values are defined and read, by the positions of nodes."""

    def __init__(self, nodes: Collection[Node], returned: Sequence[Value]) -> None:
        self.positions = {node: i for i, node in enumerate(nodes)}
        self.definitions = {value: i for node, i in self.positions.items() for value in node.outputs}
        self.last_reads: dict[Value, int] = {value: i for node, i in self.positions.items() for value in node.inputs}
        self.last_reads.update(dict.fromkeys(returned, len(self.positions)))


def _closed(scope: _OpenScope, uses: _Uses) -> Scope:
    """The scope as part of the graph, with the inputs and outputs that its use shows.

    Its nodes are neighbours, so a value is defined or read outside where its position is before or after theirs.
    """
    items: list[Node | Scope] = []
    for item in scope.items:
        part = item if isinstance(item, Node) else _closed(item, uses)
        if isinstance(part, Node) or part.items:
            items.append(part)
    whole = Scope(
        scope.kind, scope.name, tuple(items), (), (), scope.label, scope.block, scope.arguments,
        training_only=scope.training_only,
    )  # fmt: skip
    nodes = list(whole.nodes())
    if not nodes:
        return whole
    first, last = uses.positions[nodes[0]], uses.positions[nodes[-1]]
    read = dict.fromkeys(value for node in nodes for value in node.inputs)
    inputs = tuple(value for value in read if uses.definitions.get(value, -1) < first)
    defined = [value for node in nodes for value in node.outputs]
    outputs = tuple(value for value in defined if uses.last_reads.get(value, -1) > last) or nodes[-1].outputs
    shares = scope.name is not None and any(node.weights for node in nodes)
    return replace(whole, inputs=inputs, outputs=outputs, owner=scope.owner if shares else None)


def _initialized(
    op: Operation, weights: tuple[Weight, ...], initializers: Mapping[str, Initializer], trainable: bool
) -> tuple[Weight, ...]:
    known = [weight.name for weight in weights if not weight.buffer]
    for name in initializers:
        if name not in known:
            raise fail("unknown-weight", f"'{op.kind}' has no weight '{name}' here", help=did_you_mean(name, known))
    return tuple(_started(weight, initializers.get(weight.name, weight.initializer), trainable) for weight in weights)


def _started(weight: Weight, initializer: Initializer, trainable: bool) -> Weight:
    """A weight with this initializer, frozen unless it is `trainable`; values that are given do not train."""
    trainable = trainable and weight.trainable and initializer.kind != "values"
    return replace(weight, initializer=initializer, trainable=trainable)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        help = "use letters from A to Z, digits and underscores, at most 100"
        raise fail("bad-name", f"'{name}' cannot be a name", help=help)


def _described(weights: Sequence[Weight]) -> str:
    return ", ".join(f"{weight.name} {list(weight.shape)}" for weight in weights)
