"""From a typed spec to a typed graph: layers are named, blocks expanded, repeats unrolled and types inferred.

A layer with an error has no values (None), and the layers that depend on it are skipped without a message. So each
error is reported once, where it is in the spec, and everything else is built.

The engine is here; how each construct of the language is built is in `constructs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, Span
from archspec.frontend.elaborate import references
from archspec.frontend.elaborate.auto_names import NameAndError, local_name, names_iterations
from archspec.frontend.elaborate.budget import Budget, LimitExceeded, Total
from archspec.frontend.elaborate.conditions import is_trainable, when_is_true
from archspec.frontend.elaborate.constructs import BUILD_FUNCTIONS
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.nodes import NodeFactory, Signature
from archspec.frontend.elaborate.op_initializers import OpInitializers
from archspec.frontend.elaborate.overrides import Settings
from archspec.frontend.elaborate.shape_mismatch import LabelledValue
from archspec.frontend.elaborate.symbols import NO_PORTS, Symbol, SymbolTable, Values
from archspec.frontend.elaborate.training_only import check_training_only
from archspec.frontend.elaborate.trimming import trim
from archspec.frontend.elaborate.unpooling import note_pooling
from archspec.frontend.elaborate.weights import WeightBinder
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Data, Invalid
from archspec.frontend.expressions.work import shared_work
from archspec.frontend.language.fields import evaluate_all
from archspec.frontend.language.spec import DEFAULT_OPTIONS, Body, OpStep, Rename, SideStep, Spec, Step
from archspec.frozen import field, frozen, replace
from archspec.ir.graph import Graph, Node, Output, Scope, ScopeKind, Value
from archspec.ops import Op


@frozen
class Built:
    """A graph without the layers that have errors, and all errors.

    `rename` are the rules of the networks that are parts of it, for the names of their weights here, and `allowed` the
    codes of warnings that their specs allow, by the paths of the parts.
    """

    graph: Graph
    diagnostics: tuple[Diagnostic, ...]
    rename: tuple[Rename, ...] = ()
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)


@shared_work()
def build(spec: Spec, name: str, settings: Settings, total: Total | None = None) -> Built:
    """Build the graph of a spec with these params and input types, under `name`.

    Args:
        spec: the spec.
        name: the name of the graph.
        settings: the params and the input types.
        total: what the builds of the same check have used; this one is added to it.
    """
    builder = Builder(spec, settings, total)
    graph = builder.network(name)
    diagnostics = (*settings.diagnostics, *builder.diagnostics.values())
    return Built(graph, diagnostics, tuple(builder.rename), builder.allowed)


class Builder:
    """Builds one graph."""

    def __init__(self, spec: Spec, settings: Settings, total: Total | None = None) -> None:
        self.spec = spec
        self.settings = settings
        self.nodes = NodeFactory()
        self.weights = WeightBinder()
        self.initial = OpInitializers(spec.initializers, lambda field: field.evaluate(settings.params))
        self.diagnostics: dict[tuple[str, Span | None], Diagnostic] = {}
        self.budget = Budget(total)
        self.op_steps: dict[tuple[Step, type[Op]], OpStep] = {}
        self.trimmed: list[Scope] = []
        """The scopes of which only the layers that something reads are kept."""
        self.rename: list[Rename] = []
        """The rules of the networks that are parts of this one, for the names of their weights here."""
        self.allowed: dict[str, frozenset[str]] = {}
        """The codes of warnings that the specs of such networks allow, by the paths of the parts."""
        self.arguments: dict[str, tuple[Span, Mapping[str, Data]]] = {}
        """The block, by its position, and the arguments of each call, by its path."""

    def report(self, error: ArchspecError, context: BuildContext) -> None:
        """Add the diagnostics of an error, each once even if its text is expanded several times."""
        for diagnostic in error.diagnostics:
            key = (diagnostic.code, diagnostic.span)
            if key not in self.diagnostics:
                self.diagnostics[key] = replace(diagnostic, notes=(*diagnostic.notes, *context.notes()))

    def network(self, name: str) -> Graph:
        """Build the whole network."""
        library = self.spec.library(self.settings.params)
        context = BuildContext(SymbolTable("", bodies=(self.spec.layers,)), library.params, library, self.initial)
        inputs, values = self._inputs(context)
        named_outputs: list[tuple[str, Value]] = []
        try:
            values = self.body(self.spec.layers, values, context)
            errors = list(self.initial.unused())
            spans = {declared.name: declared.shape.span for declared in self.spec.inputs}
            named_outputs += references.network_outputs(
                self.spec.outputs, values, context.symbols, library.params, spans, errors
            )
            self.report(ArchspecError(errors), context)
        except LimitExceeded as limit:
            self.report(limit.error, context)
        body = Scope("network", "", tuple(context.items), inputs, tuple(value for _, value in named_outputs))
        size_reads = tuple(context.size_reads.values())
        if self.trimmed:
            body, size_reads = trim(body, self.trimmed, size_reads)
        training = {value for node in body.training_only_nodes() for value in node.outputs}
        outputs = tuple(Output(name, value, value in training) for name, value in named_outputs)
        if training:
            span = self.spec.outputs[0].span if self.spec.outputs else None
            self.report(ArchspecError(check_training_only(body, outputs, span)), context)
        return Graph(name, inputs, body, outputs, size_reads)

    def _inputs(self, context: BuildContext) -> tuple[tuple[Value, ...], Values]:
        """The inputs of the network whose types are known; and all of them, or None if one is unknown."""
        inputs: list[Value] = []
        for declared in self.spec.inputs:
            type, span = self.settings.inputs[declared.name], declared.shape.span
            values = None if type is None else (Value(declared.name, self.nodes.intern_type(type)),)
            context.symbols.entries[declared.name] = Symbol(values, span, declared.name)
            for value in values or ():
                self.nodes.origins[value] = span
                inputs.append(value)
        return tuple(inputs), tuple(inputs) if len(inputs) == len(self.spec.inputs) else None

    # --- steps ---

    def body(self, steps: Body, values: Values, context: BuildContext) -> Values:
        """Build steps in order; the values of each are the inputs of the next."""
        for step in steps:
            if context.is_cut_off:
                break
            values = self.step(step, values, context)
            for cut in context.cuts:
                cut.look_in(context.symbols)
        return values

    def step(self, step: Step, values: Values, context: BuildContext) -> Values:
        """Build one step and report its errors."""
        name: str | None = None
        try:
            self.budget.count_steps(step.span)
            if not when_is_true(step, context, values):
                return self._skip(step, values, context)
            name = self.name(step, context)
            inputs = references.inputs_of(step, values, context)
            here = context if is_trainable(step, context, inputs) else context.frozen()
            outputs = BUILD_FUNCTIONS[type(step)](self, step, name, inputs, here)
            return values if isinstance(step, SideStep) else outputs
        except ArchspecError as error:
            self.report(error, context)
            self.budget.count_failure(error)
        except LimitExceeded as limit:
            self.report(limit.error, context)
            raise
        except Invalid:
            pass
        context.symbols.mark_invalid(name or self.name_of_failed(step, context), step.span)
        return values if isinstance(step, SideStep) else None

    def _skip(self, step: Step, values: Values, context: BuildContext) -> Values:
        if step.name is not None and not names_iterations(step):
            context.symbols.skipped[step.name.fill(context.environment)] = step.span
        return values

    # --- names ---

    def name(self, step: Step, context: BuildContext) -> str | None:
        """The name of a step in its scope; None for a structure that adds no name to the paths of its layers."""
        return self.report_taken(local_name(step, context.symbols, context.environment), context)

    def report_taken(self, name_and_error: NameAndError | None, context: BuildContext) -> str | None:
        """The name, after its error is reported if it has one."""
        if name_and_error is None:
            return None
        name, error = name_and_error
        if error is not None:
            self.report(error, context)
        return name

    def name_of_failed(self, step: Step, context: BuildContext) -> str | None:
        """The name of a step that failed before it had one; None if it is unknown."""
        try:
            return self.name(step, context)
        except (ArchspecError, Invalid):
            return None

    # --- nodes ---

    def op_of(self, step: OpStep, values: Values, context: BuildContext) -> Op:
        """The op of a step, with its attributes evaluated and validated, or taken from the layer it shares with."""
        share = step.weight_options.share
        key = context.cache_key(step.reads, values) if share is None else None
        if key is not None and (op := self.nodes.cached_op(step, key)) is not None:
            for field in step.attributes.values():
                if any(map(context.is_input, field.names)):
                    context.evaluate(field, values)  # reads the same sizes of other values
            return op
        try:
            attributes = {name: context.evaluate(field, values) for name, field in step.attributes.items()}
        except ArchspecError:
            evaluate_all(step.attributes.values(), lambda field: context.evaluate(field, values))
            raise
        if share is not None:
            owner = self.weights.owner(references.shared_weight_owner(share, step, context))
            if owner is not None and type(owner.op) is step.op:
                attributes = {**owner.op.explicit_attributes(), **attributes}
        return self.nodes.op_of(step, key, attributes)

    def node(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        name: str | None,
        step: Step,
        context: BuildContext,
        labelled: Sequence[LabelledValue] | None = None,
    ) -> Values:
        """Add the node that applies an op.

        Args:
            op: the op.
            inputs: what it is applied to.
            name: the name of the node in its scope; None for a fresh one.
            step: the step it is built for.
            context: where it is built.
            labelled: the inputs as an error names them; as the step's `from` names them if left out.
        """
        self.budget.count_layer(step.span)
        symbols = context.symbols
        local = name or symbols.fresh_name(op.kind)
        signature = self.nodes.cached_signature(op, inputs)
        if signature is None:
            labelled = references.labelled_inputs(step, inputs, context) if labelled is None else labelled
            signature = self.nodes.infer(op, inputs, labelled, step)
        node = self.nodes.create_node(symbols.path_of(local), op, inputs, signature, step.span)
        owner = symbols.weight_owner_of(local) if symbols.weight_owner else node.name
        if node.weights:
            node, owner = self._with_weight_options(node, owner, signature, step, context)
        ports = NO_PORTS
        if op.ports != ("output",):
            ports = dict(zip(op.ports, node.outputs, strict=True))
            note_pooling(node, context, self.nodes)
        outputs = node.outputs[: op.primary_outputs]
        symbols.entries[local] = Symbol(outputs, step.span, owner, ports)
        context.items.append(node)
        return outputs

    def _with_weight_options(
        self, node: Node, owner: str, signature: Signature, step: Step, context: BuildContext
    ) -> tuple[Node, str]:
        """The node with the weight options of its step applied, and the path that holds its weights."""
        options = step.weight_options if isinstance(step, OpStep) else DEFAULT_OPTIONS
        if options is DEFAULT_OPTIONS:
            if node.op.kind in context.initial.of_ops:
                node = self.weights.apply_defaults(node, signature, context.initial)
        else:
            node = self.weights.apply(node, options, partial(context.evaluate, values=node.inputs), context.initial)
        if not context.trainable:
            node = node.with_weights(tuple([replace(weight, trainable=False) for weight in node.weights]))
        span = step.span
        if options.share is not None:
            span = options.share.span
            owner = references.shared_weight_owner(options.share, step, context)
        if owner != node.name:
            return self.weights.share(node, owner, span), owner
        if error := self.weights.register(node, signature.elements, span):
            self.report(error, context)
        return node, owner

    # --- scopes ---

    def open_scope(
        self,
        step: Step,
        name: str | None,
        context: BuildContext,
        *,
        indexed: bool = False,
        environment: Environment | None = None,
        times: int = 1,
        bodies: tuple[Body, ...] | None = None,
    ) -> BuildContext:
        """The context inside a structure, with a symbol table of its own if the structure has a name.

        Args:
            step: the structure.
            name: its name in its scope, if it has one.
            context: where the structure is.
            indexed: whether layers without a name are named by number.
            environment: the names that expressions inside can use, if they differ from those outside.
            times: how often the structure builds its layers.
            bodies: the lists of layers inside, if not all of the structure's.
        """
        self.budget.count_steps(step.span)
        self.budget.check_depth(step.span, context.depth + 1)
        self.budget.check_repetitions(step.span, context.repetitions * times)
        symbols = context.symbols
        if name is not None:
            owner = symbols.weight_owner_of(name) if symbols.weight_owner else None
            bodies = step.bodies() if bodies is None else bodies
            path = symbols.path_of(name)
            symbols = SymbolTable(
                path, outer=symbols, indexed=indexed, weight_owner=owner, bodies=bodies, index=symbols.index
            )
        return BuildContext(
            symbols,
            context.environment if environment is None else environment,
            context.library,
            context.initial,
            context.depth + 1,
            context.repetitions * max(1, times),
            context.blocks,
            context.call,
            training_only=context.training_only,
            size_reads=context.size_reads,
            inputs=context.inputs,
            trainable=context.trainable,
            cuts=context.cuts,
            networks=context.networks,
        )

    def close_scope(
        self,
        kind: ScopeKind,
        span: Span,
        inside: BuildContext,
        inputs: Values,
        outputs: Values,
        context: BuildContext,
        *,
        ports: Mapping[str, Value] = NO_PORTS,
        primary: Values = None,
        trimmed: bool = False,
        **fields: Any,
    ) -> Values:
        """Add the scope with everything built `inside` a structure to `context`; the result is its outputs.

        Args:
            kind: the kind of scope.
            span: where the structure is.
            inside: the context inside it.
            inputs: its inputs.
            outputs: its outputs.
            context: where it is added.
            ports: its outputs by the names it gives them.
            primary: those of its outputs that its name refers to; None for all.
            trimmed: whether only the layers are kept that something reads.
            **fields: other fields of the `Scope`.
        """
        symbols = inside.symbols
        name, owner = None, None
        if symbols is not context.symbols:
            name, owner = symbols.path, symbols.weight_owner
            local = name.rpartition(".")[2]
            values = outputs if primary is None else primary
            context.symbols.entries[local] = Symbol(values, span, owner or name, ports, symbols)
            for cut in context.cuts:
                cut.look_in(context.symbols)
            symbols.outer = symbols.caller = None  # a cycle would keep every value until the next garbage collection
        scope = Scope(kind, name, tuple(inside.items), inputs or (), outputs or (), span=span, owner=owner, **fields)
        if owner is not None and not any(node.weights for node in scope.nodes()):
            scope = replace(scope, owner=None)  # without weights, it shares nothing
        context.items.append(scope)
        if trimmed:
            self.trimmed.append(scope)
        return outputs if primary is None else primary
