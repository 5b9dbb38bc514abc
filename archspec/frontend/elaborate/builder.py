"""From a typed spec to a typed graph: blocks are expanded, rounds repeated, names given, types inferred on the way.

A layer that cannot be typed makes nothing (a flow of None), and what depends on it is passed over in silence: each
mistake is reported once, where it was written, and everything else is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, Span, fail
from archspec.frontend.elaborate import block_arguments, iterations, references
from archspec.frontend.elaborate.auto_names import Claim, claim, local_name, named_by_round
from archspec.frontend.elaborate.budget import Budget, PastLimit
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.cycles import inside as bodies_of
from archspec.frontend.elaborate.nodes import NodeMaker, Sources
from archspec.frontend.elaborate.overrides import Settings
from archspec.frontend.elaborate.shape_mismatch import Source, crop_sizes
from archspec.frontend.elaborate.symbols import NO_PORTS, Flow, Symbol, SymbolTable
from archspec.frontend.elaborate.training_only import misplaced
from archspec.frontend.elaborate.weights import Weights
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Data, Invalid
from archspec.frontend.language.fields import evaluate_all
from archspec.frontend.language.spec import (
    DEFAULT_OPTIONS,
    Block,
    Body,
    BrokenStep,
    CallStep,
    Iterations,
    Library,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Spec,
    Step,
)
from archspec.frontend.language.steps import op_of_package
from archspec.ir.graph import Graph, Node, Output, Scope, ScopeKind, Value
from archspec.ops import Op
from archspec.ops.spatial import CenterCrop


@dataclass(frozen=True, slots=True)
class Built:
    """A graph as far as it could be built, and every mistake met on the way."""

    graph: Graph
    diagnostics: tuple[Diagnostic, ...]


def build(spec: Spec, name: str, settings: Settings) -> Built:
    """The graph of a spec with these params and input types, under `name`."""
    builder = _Builder(spec, settings)
    graph = builder.network(name)
    return Built(graph, (*settings.diagnostics, *builder.diagnostics.values()))


class _Builder:
    def __init__(self, spec: Spec, settings: Settings) -> None:
        self.spec = spec
        self.settings = settings
        self.maker = NodeMaker()
        self.weights = Weights(spec.starts, lambda written: written.evaluate(settings.params))
        self.diagnostics: dict[tuple[str, Span | None], Diagnostic] = {}
        self.budget = Budget()
        self.ops_called: dict[tuple[int, type[Op]], OpStep] = {}

    def report(self, error: ArchspecError, place: BuildContext) -> None:
        """Note the mistakes of an error, each once however often its text is expanded."""
        for found in error.diagnostics:
            if (found.code, found.span) not in self.diagnostics:
                notes = (*found.notes, *place.where())
                self.diagnostics[found.code, found.span] = replace(found, notes=notes)

    # --- the network ---

    def network(self, name: str) -> Graph:
        home = self.spec.library(self.settings.params)
        place = BuildContext(SymbolTable("", bodies=(self.spec.layers,)), home.params, home)
        inputs: list[Value] = []
        flow: Flow = ()
        for declared in self.spec.inputs:
            type = self.settings.inputs[declared.name]
            values = (Value(declared.name, self.maker.one_type(type)),) if type is not None else None
            self.maker.origins.update(dict.fromkeys(values or (), declared.shape.span))
            place.frame.entries[declared.name] = Symbol(values, declared.shape.span, declared.name)
            inputs += values or ()
            flow = None if flow is None or values is None else (*flow, *values)
        returned: list[tuple[str, Value]] = []
        try:
            flow = self.body(self.spec.layers, flow, place)
            faults = list(self.weights.unused_starts())
            spans = {declared.name: declared.shape.span for declared in self.spec.inputs}
            returned += references.outputs(self.spec.outputs, flow, place.frame, home.params, spans, faults)
            self.report(ArchspecError(faults), place)
        except PastLimit as limit:
            self.report(limit.error, place)
        body = Scope("network", "", tuple(place.items), tuple(inputs), tuple(value for _, value in returned))
        training = {value for node in body.training_only_nodes() for value in node.outputs}
        outputs = tuple(Output(name, value, value in training) for name, value in returned)
        if training:
            span = self.spec.outputs[0].span if self.spec.outputs else None
            self.report(ArchspecError(misplaced(body, outputs, span)), place)
        return Graph(name, tuple(inputs), body, outputs)

    # --- steps ---

    def body(self, steps: Body, flow: Flow, place: BuildContext) -> Flow:
        """Build steps after one another; what the last one makes flows on."""
        for step in steps:
            flow = self.step(step, flow, place)
        return flow

    def step(self, step: Step, flow: Flow, place: BuildContext) -> Flow:
        """Build one step, reporting its mistakes."""
        name: str | None = None
        try:
            self.budget.step(step.span)
            if step.when is not None and not place.holds(step.when, flow):
                return self.leave_out(step, flow, place)
            name = self.name(step, place)
            out = _BUILD[type(step)](self, step, name, references.inflow(step, flow, place), place)
            return flow if isinstance(step, SideStep) else out
        except ArchspecError as error:
            self.report(error, place)
            self.budget.failure(error)
        except PastLimit as limit:
            self.report(limit.error, place)
            raise
        except Invalid:
            pass
        place.frame.lose(name or self.likely_name(step, place), step.span)
        return flow if isinstance(step, SideStep) else None

    def leave_out(self, step: Step, flow: Flow, place: BuildContext) -> Flow:
        if step.name is not None and not named_by_round(step):
            place.frame.left_out[step.name.fill(place.scope)] = step.span
        return flow

    def name(self, step: Step, place: BuildContext) -> str | None:
        """What a step is called among its neighbours; None for a structure that lends its layers no name."""
        return self.granted(local_name(step, place.frame, place.scope), place)

    def granted(self, claim: Claim | None, place: BuildContext) -> str | None:
        """The name that was claimed, reporting if it is another."""
        if claim is None:
            return None
        name, fault = claim
        if fault is not None:
            self.report(fault, place)
        return name

    def likely_name(self, step: Step, place: BuildContext) -> str | None:
        """The name of a step that went wrong before it got one; None where that leaves nobody to tell."""
        try:
            return self.name(step, place)
        except (ArchspecError, Invalid):
            return None

    def broken(self, step: BrokenStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        raise Invalid

    # --- ops ---

    def op(self, step: OpStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        op = self.make_op(step, flow, place)
        if flow is None:
            raise Invalid
        return self.node(op, flow, name, step, place, lambda: references.sources(step, flow, place))

    def make_op(self, step: OpStep, flow: Flow, place: BuildContext) -> Op:
        given = place.worth(step.reads, flow)
        if (op := self.maker.known_op(step, given)) is not None:
            return op
        try:
            attributes = {name: place.evaluate(value, flow) for name, value in step.attributes.items()}
        except ArchspecError:
            evaluate_all(step.attributes.values(), lambda value: place.evaluate(value, flow))
            raise
        return self.maker.op(step, given, attributes)

    def node(
        self, op: Op, inputs: tuple[Value, ...], name: str | None, step: Step, place: BuildContext, sources: Sources
    ) -> Flow:
        """Add the node that applies an op."""
        self.budget.layer(step.span)
        frame = place.frame
        local = name or frame.give(op.kind)
        signature = self.maker.signature(op, inputs, step, sources)
        node = self.maker.make(frame.join(local), op, inputs, signature, step.span)
        owner = frame.owner_of(local) if frame.owner else node.name
        if node.weights:
            node, owner = self.weigh(node, owner, signature.elements, step, inputs, place)
        ports = dict(zip(op.ports, node.outputs, strict=True)) if op.ports != ("output",) else NO_PORTS
        flow = node.outputs[: op.primary_outputs]
        frame.entries[local] = Symbol(flow, step.span, owner, ports)
        place.items.append(node)
        return flow

    def weigh(
        self, node: Node, owner: str, elements: int, step: Step, flow: Flow, place: BuildContext
    ) -> tuple[Node, str]:
        """The node with its weights as the spec wants them, and the path they are found under."""
        wishes = step.weight_options if isinstance(step, OpStep) else DEFAULT_OPTIONS
        if wishes is not DEFAULT_OPTIONS or node.op.kind in self.spec.starts:
            node = self.weights.start(node, wishes, partial(place.evaluate, flow=flow))
        span = step.span
        if wishes.share is not None:
            span = wishes.share.span
            owner = references.lender(wishes.share, step, place)
        if owner != node.name:
            return self.weights.borrow(node, owner, span), owner
        if fault := self.weights.own(node, elements, span):
            self.report(fault, place)
        return node, owner

    # --- structures ---

    def open(
        self,
        step: Step,
        name: str | None,
        place: BuildContext,
        *,
        indexed: bool = False,
        scope: Environment | None = None,
        times: int = 1,
        bodies: tuple[Body, ...] | None = None,
    ) -> BuildContext:
        """The place inside a structure, with a frame of its own if the structure has a name."""
        self.budget.step(step.span)
        self.budget.depth(step.span, place.depth + 1)
        self.budget.rounds(step.span, place.rounds * times)
        frame = place.frame
        if name is not None:
            owner = frame.owner_of(name) if frame.owner else None
            bodies = bodies_of(step) if bodies is None else bodies
            frame = SymbolTable(frame.join(name), outer=frame, indexed=indexed, owner=owner, bodies=bodies)
        scope = place.scope if scope is None else scope
        return BuildContext(
            frame, scope, place.home, place.depth + 1, place.rounds * max(1, times), place.blocks, place.call
        )

    def close(
        self,
        kind: ScopeKind,
        span: Span,
        inside: BuildContext,
        flow: Flow,
        out: Flow,
        place: BuildContext,
        **facts: Any,
    ) -> Flow:
        """Put what was built inside a structure in its place, under its name; what flows out of it."""
        frame = inside.frame
        name, owner = None, None
        if frame is not place.frame:
            name, owner = frame.path, frame.owner
            local = name.rpartition(".")[2]
            place.frame.entries[local] = Symbol(out, span, owner or name, inside=frame)
        region = Scope(kind, name, tuple(inside.items), flow or (), out or (), span=span, owner=owner, **facts)
        if owner is not None and not any(node.weights for node in region.nodes()):
            region = replace(region, owner=None)  # it shares nothing
        place.items.append(region)
        return out

    def call(self, step: CallStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        callee = step.callee.fill(place.scope)
        vocabulary = self.spec.vocabulary
        if callee in vocabulary.ops:
            return self.op(self.as_op(step, vocabulary.ops[callee]), name, flow, place)
        found = place.home.find(callee)
        if found is None and place.home.whole:
            op = op_of_package(callee, place.home.names, step.span, vocabulary)
            return self.op(self.as_op(step, op), name, flow, place)
        block, home = found or (None, place.home)
        if block is None:
            raise Invalid
        scope = dict(home.params)
        own = place.within(scope)
        arguments = block_arguments.arguments(
            step,
            block,
            scope,
            given=lambda written: place.evaluate(written, flow),
            default=lambda written: own.evaluate(written, flow),
        )
        inside = self.open(step, name, place, indexed=block.indexed, scope=scope)
        self.enter(inside, block, home, step, place)
        out = self.body(block.layers, flow, inside)
        return self.close("block", step.span, inside, flow, out, place, block=callee, arguments=arguments)

    def as_op(self, step: CallStep, op: type[Op]) -> OpStep:
        """A call as the op it turned out to be, the same step each time."""
        key = (id(step), op)
        if key not in self.ops_called:
            self.ops_called[key] = block_arguments.as_op(step, op)
        return self.ops_called[key]

    def enter(self, inside: BuildContext, block: Block, home: Library, step: CallStep, place: BuildContext) -> None:
        """Make a place the inside of a block: nothing outside can be named, and it may share all weights of another."""
        inside.frame.outer, inside.frame.caller = None, place.frame
        inside.frame.bodies = (block.layers,)
        if step.share is not None:
            inside.frame.owner = references.lender(step.share, step, place)
        inside.home, inside.call, inside.blocks = home, step.span, place.blocks | {block.span}
        if block.span in place.blocks:
            self.budget.recursion(step.span, block.name)

    def sequential(self, step: SequentialStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        inside = self.open(step, name, place, indexed=step.indexed)
        out = self.body(step.layers, flow, inside)
        return self.close("sequential", step.span, inside, flow, out, place)

    def side(self, step: SideStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        inside = self.open(step, name, place)
        out = self.body(step.layers, flow, inside)
        self.close("side", step.span, inside, flow, out, place, training_only=step.training_only)
        return flow

    def residual(self, step: ResidualStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        inside = self.open(step, name, place)
        ends = [
            *self.path("layers", None, step.layers, step, flow, inside),
            *self.path("shortcut", None, step.shortcut, step, flow, inside),
        ]
        out = self.join(step, ends, flow, inside)
        return self.close("residual", step.span, inside, flow, out, place)

    def parallel(self, step: ParallelStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        entries = self.entries(step.rounds, flow, place) if step.rounds else ()
        inside = self.open(step, name, place, times=len(entries))
        ends: list[Source | None] = []
        for i, (path, layers) in enumerate(step.paths):
            name = None if path is None else self.granted(claim(path, inside.frame, inside.scope), inside)
            ends += self.path(name or f"path {i + 1}", name, layers, step, flow, inside)
        for i, entry in enumerate(entries):
            assert step.rounds is not None
            within = inside.within(iterations.bind(step.rounds, i, entry, place.scope))
            ends += self.path(f"path {i + 1}", None, step.rounds.layers, step, flow, within)
        out = self.join(step, ends, flow, inside)
        return self.close("parallel", step.span, inside, flow, out, place)

    def path(
        self, label: str, name: str | None, layers: Body, step: Step, flow: Flow, place: BuildContext
    ) -> list[Source | None]:
        """Build one path of a join: what it makes, with its label, or None where that is unknown."""
        inside = self.open(step, name, place, bodies=(layers,))
        out = self.body(layers, flow, inside)
        self.close("path", step.span, inside, flow, out, place, label=label)
        if out is None:
            return [None]
        return [Source(label, value, "" if layers else "identity") for value in out]

    def join(
        self, step: ResidualStep | ParallelStep, ends: Sequence[Source | None], flow: Flow, place: BuildContext
    ) -> Flow:
        """Make one value of the ends of paths; None where one of them is unknown or they do not fit."""
        known = [end for end in ends if end is not None]
        name: str | None = None
        try:
            if not ends:
                raise fail("wrong-arity", "there is no path to join", step.span, help="write at least one path")
            if len(known) < len(ends):
                raise Invalid
            if step.crop:
                known = self.crop(known, step, place)
            name = self.name(step.join, place)
            op = self.make_op(step.join, flow, place)
            return self.node(op, tuple(end.value for end in known), name, step, place, lambda: known)
        except ArchspecError as error:
            self.report(error, place)
        except Invalid:
            pass
        place.frame.lose(name or self.likely_name(step.join, place), step.span)
        return None

    def crop(self, ends: Sequence[Source], step: Step, place: BuildContext) -> list[Source]:
        """The paths, the larger ones cut to the smallest."""
        cut: list[Source] = []
        for end, size in zip(ends, crop_sizes([end.type for end in ends]), strict=True):
            if size is not None:
                op = self.maker.plain_op(CenterCrop, {"size": size})
                (value,) = self.node(op, (end.value,), None, step, place, lambda: ends) or ()
                cut.append(replace(end, value=value))
            else:
                cut.append(end)
        return cut

    def repeat(self, step: RepeatStep, name: str | None, flow: Flow, place: BuildContext) -> Flow:
        entries = self.entries(step.rounds, flow, place)
        outside = self.open(step, name, place, indexed=True, times=len(entries), bodies=())
        layers, before = step.rounds.layers, flow
        for i, entry in enumerate(entries):
            scope = iterations.bind(step.rounds, i, entry, place.scope)
            inside = self.open(step, self.round_name(step, outside, scope), outside, scope=scope, bodies=(layers,))
            start, flow = flow, self.body(layers, flow, inside)
            self.close("iteration", step.span, inside, start, flow, outside)
        return self.close("repeat", step.span, outside, before, flow, place)

    def round_name(self, step: RepeatStep, outside: BuildContext, scope: Environment) -> str | None:
        """What a round is called: by the name of the repeat, if that changes, or by number inside it."""
        if step.name is None:
            return None
        if named_by_round(step):
            return self.granted(claim(step.name, outside.frame, scope), outside)
        return outside.frame.give("")

    def entries(self, rounds_: Iterations, flow: Flow, place: BuildContext) -> Sequence[Data]:
        """What the rounds of a repetition are for."""
        written = rounds_.times if rounds_.over is None else rounds_.over
        assert written is not None
        entries = iterations.entries(rounds_, place.evaluate(written, flow))
        self.budget.rounds(written.span, len(entries) * place.rounds)
        self.budget.step(written.span, len(entries))
        return entries


_BUILD: Mapping[type[Step], Callable[[_Builder, Any, str | None, Flow, BuildContext], Flow]] = {
    BrokenStep: _Builder.broken,
    OpStep: _Builder.op,
    CallStep: _Builder.call,
    SequentialStep: _Builder.sequential,
    SideStep: _Builder.side,
    ResidualStep: _Builder.residual,
    ParallelStep: _Builder.parallel,
    RepeatStep: _Builder.repeat,
}
