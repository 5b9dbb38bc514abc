"""From a typed spec to a typed graph: blocks are expanded, rounds repeated, names given, types inferred on the way.

A layer that cannot be typed makes nothing (a flow of None), and what depends on it is passed over in silence: each
mistake is reported once, where it was written, and everything else is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, Span, did_you_mean, fail
from archspec.frontend.joins import crop_sizes, projection
from archspec.frontend.limits import MAX_DEPTH, MAX_LAYERS
from archspec.frontend.names import Entry, Flow, Frame
from archspec.frontend.nodes import NodeMaker, Source
from archspec.frontend.spec import (
    NO_WISHES,
    Block,
    Body,
    BrokenStep,
    CallStep,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    Returned,
    Rounds,
    SequentialStep,
    SideStep,
    Spec,
    Step,
    Weighing,
)
from archspec.frontend.steps import OP_KINDS, PRINCIPAL
from archspec.frontend.terms import Inflow
from archspec.frontend.values import Data, show, whole
from archspec.frontend.written import Written
from archspec.ir.graph import Graph, Node, Output, Region, RegionKind, Value
from archspec.ir.types import TensorType
from archspec.ops import Op

Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Built:
    """A graph as far as it could be built, and every mistake met on the way."""

    graph: Graph
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Place:
    """Where steps are built: the names around them, what expressions may name, and what was built there so far.

    `depth` counts the structures around the place, `rounds` how many times all of them together repeat it.
    """

    frame: Frame
    scope: Scope
    depth: int = 0
    rounds: int = 1
    items: list[Node | Region] = field(default_factory=list)


class _Unknown(Exception):
    """A step depends on what a mistake elsewhere left unknown."""


def build(spec: Spec, name: str, params: Mapping[str, Data], shapes: Mapping[str, TensorType]) -> Built:
    """The graph of a spec with these params and input types, under `name`."""
    builder = _Builder(spec, params)
    graph = builder.network(name, shapes)
    return Built(graph, tuple(builder.diagnostics.values()))


class _Builder:
    def __init__(self, spec: Spec, params: Mapping[str, Data]) -> None:
        self.spec = spec
        self.params = params
        self.maker = NodeMaker(spec.initializers)
        self.diagnostics: dict[tuple[str, Span | None, str], Diagnostic] = {}
        self.lenders: dict[str, Node] = {}
        self.layers = 0

    def report(self, error: ArchspecError) -> None:
        """Note the mistakes of an error, each once however often its place is expanded."""
        for found in error.diagnostics:
            self.diagnostics.setdefault((found.code, found.span, found.message), found)

    # --- the network ---

    def network(self, name: str, shapes: Mapping[str, TensorType]) -> Graph:
        place = Place(Frame(""), self.params)
        inputs: list[Value] = []
        for declared in self.spec.inputs:
            value = Value(declared.name, shapes[declared.name])
            self.maker.origins[value] = declared.shape.span
            place.frame.entries[declared.name] = Entry((value,), declared.shape.span, declared.name)
            inputs.append(value)
        flow = self.body(self.spec.layers, tuple(inputs), place)
        returned = self.returned(place.frame) if self.spec.outputs else self.last(flow)
        body = Region("network", "", tuple(place.items), tuple(inputs), tuple(value for _, value in returned))
        training = {value for node in body.training_only_nodes() for value in node.outputs}
        outputs = tuple(Output(name, value, value in training) for name, value in returned)
        return Graph(name, tuple(inputs), body, outputs)

    def last(self, flow: Flow) -> list[tuple[str, Value]]:
        """The values that flow out at the end, where the spec names no outputs."""
        values = flow or ()
        return [("output" if len(values) == 1 else f"output{i}", value) for i, value in enumerate(values)]

    def returned(self, frame: Frame) -> list[tuple[str, Value]]:
        """The values the spec names as its outputs."""
        found: list[tuple[str, Value]] = []
        for returned in self.spec.outputs:
            try:
                found += [(returned.name, value) for value in self.one_output(returned, frame)]
            except ArchspecError as error:
                self.report(error)
        return found

    def one_output(self, returned: Returned, frame: Frame) -> Sequence[Value]:
        entry = frame.find(returned.source.fill(self.params), returned.source.span)
        if entry.flow and len(entry.flow) > 1:
            raise fail(
                "wrong-arity",
                f"'{returned.name}' is {len(entry.flow)} values",
                returned.source.span,
                help=f"name one of them: {', '.join(entry.ports)}",
            )
        return entry.flow or ()

    # --- steps ---

    def body(self, steps: Body, flow: Flow, place: Place) -> Flow:
        """Build steps after one another; what the last one makes flows on."""
        for step in steps:
            flow = self.step(step, flow, place)
        return flow

    def step(self, step: Step, flow: Flow, place: Place) -> Flow:
        """Build one step, reporting its mistakes."""
        name = None
        try:
            if step.when is not None and not self.holds(step.when, flow, place):
                if step.name is not None:
                    place.frame.left_out[step.name.fill(place.scope)] = step.span
                return flow
            if step.name is not None and not isinstance(step, RepeatStep):
                name = step.name.fill(place.scope)
            return _BUILD[type(step)](self, step, name, self.inflow(step, flow, place), place)
        except ArchspecError as error:
            self.report(error)
        except _Unknown:
            pass
        if name is not None:
            place.frame.entries.setdefault(name, Entry(None, step.span, place.frame.owner_of(name)))
        return flow if isinstance(step, SideStep) else None

    def inflow(self, step: Step, flow: Flow, place: Place) -> Flow:
        """What flows into a step: the values before it, or those it names."""
        if step.sources is None:
            return flow
        found: list[Value] = []
        for template in step.sources:
            reference = template.fill(place.scope)
            known = flow if reference == "prev" else place.frame.find(reference, template.span).flow
            if known is None:
                raise _Unknown
            found += known
        return tuple(found)

    def broken(self, step: BrokenStep, name: str | None, flow: Flow, place: Place) -> Flow:
        raise _Unknown

    # --- ops ---

    def op(self, step: OpStep, name: str | None, flow: Flow, place: Place) -> Flow:
        op = self.make_op(step, flow, place)
        if flow is None:
            raise _Unknown
        labels = [template.fill(place.scope) for template in step.sources or ()]
        if len(labels) != len(flow):
            labels = ["input"] * len(flow)
        sources = [Source(label, value) for label, value in zip(labels, flow, strict=True)]
        return self.node(op, sources, name, step, flow, place)

    def make_op(self, step: OpStep, flow: Flow, place: Place) -> Op:
        attributes = {key: self.evaluate(value, flow, place) for key, value in step.attributes.items()}
        return self.maker.op(step.op, attributes, step.attributes, step.span)

    def node(self, op: Op, sources: Sequence[Source], name: str | None, step: Step, flow: Flow, place: Place) -> Flow:
        """Add the node that applies an op."""
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise self.too_many(step.span)
        frame = place.frame
        local = name or frame.give(op.kind)
        node = self.maker.make(frame.join(local), op, sources, step.span)
        owner = frame.owner_of(local)
        if node.weights:
            node, owner = self.weigh(node, owner, step, flow, place)
        ports = dict(zip(op.ports, node.outputs, strict=False)) if len(op.ports) > 1 else {}
        frame.enter(local, Entry(node.outputs, step.span, owner, ports))
        place.items.append(node)
        return node.outputs

    def weigh(self, node: Node, owner: str, step: Step, flow: Flow, place: Place) -> tuple[Node, str]:
        """The node with its weights as the spec wants them, and the path they are found under."""
        wishes = step.weighing if isinstance(step, OpStep) else NO_WISHES
        if wishes is not NO_WISHES or node.op.kind in self.spec.initializers:
            fixed = None if wishes.fixed is None else self.evaluate(wishes.fixed, flow, place)
            trainable = wishes.trainable is None or self.holds(wishes.trainable, flow, place)
            node = self.maker.weigh(node, wishes, fixed, trainable, step.span)
            if wishes.share is not None:
                owner = place.frame.find(wishes.share.fill(place.scope), wishes.share.span).owner
        if owner == node.name:
            self.maker.count(node, step.span)
        else:
            node = self.borrow(node, owner, step.span)
        self.lenders[node.name] = node
        return node, owner

    def borrow(self, node: Node, owner: str, span: Span) -> Node:
        """The node with the weights of another."""
        lender = self.lenders.get(owner)
        if lender is None:
            raise fail(
                "wrong-share",
                f"'{owner}' has no weights for '{node.name}' to share",
                span,
                help="share with a layer of the same kind before this one",
            )
        wanted, have = _shapes(node), _shapes(lender)
        if wanted != have:
            notes = [(f"{node.name}:", wanted), (f"{lender.name}:", have)]
            raise fail("wrong-share", f"'{node.name}' cannot share weights of other shapes", span, notes=notes)
        return replace(node, weights=lender.weights, owner=lender.owner or lender.name)

    # --- structures ---

    def open(
        self,
        span: Span,
        name: str | None,
        place: Place,
        *,
        indexed: bool = False,
        scope: Scope | None = None,
        rounds: int = 1,
        closed: bool = False,
        owner: str | None = None,
    ) -> Place:
        """The place inside a structure, with a frame of its own if the structure has a name.

        Raises:
            ArchspecError: there are too many structures inside one another, or rounds of them.
        """
        if place.depth >= MAX_DEPTH:
            raise fail(
                "endless-recursion",
                f"blocks and structures are nested more than {MAX_DEPTH} deep here",
                span,
                help="a block that calls itself needs a `when` that ends it",
            )
        if place.rounds * rounds > MAX_LAYERS:
            raise self.too_many(span, place.rounds * rounds)
        frame = place.frame
        if name is not None:
            path = owner or (frame.owner_of(name) if frame.owner else None)
            frame = Frame(frame.join(name), None if closed else frame, indexed, path)
        scope = place.scope if scope is None else scope
        return Place(frame, scope, place.depth + 1, place.rounds * max(1, rounds))

    def close(
        self, kind: RegionKind, span: Span, inside: Place, flow: Flow, out: Flow, place: Place, **facts: Any
    ) -> Flow:
        """Put what was built inside a structure in its place, under its name; what flows out of it."""
        frame = inside.frame
        named = frame is not place.frame
        if named:
            local = frame.path.rpartition(".")[2]
            place.frame.enter(local, Entry(out, span, frame.owner or frame.path, inside=frame))
        items = tuple(inside.items)
        place.items.append(
            Region(
                kind,
                frame.path if named else None,
                items,
                flow or (),
                out or (),
                span=span,
                owner=frame.owner if named else None,
                **facts,
            )
        )
        return out

    def call(self, step: CallStep, name: str | None, flow: Flow, place: Place) -> Flow:
        callee = step.callee.fill(place.scope)
        if callee in OP_KINDS:
            return self.op(_as_op(step, OP_KINDS[callee]), name, flow, place)
        block = self.spec.blocks.get(callee)
        if block is None:
            known = [*self.spec.blocks, *OP_KINDS]
            raise fail("unknown-op", f"there is no op or block '{callee}'", step.span, help=did_you_mean(callee, known))
        arguments = self.arguments(step, block, flow, place)
        owner = place.frame.find(step.share.fill(place.scope), step.share.span).owner if step.share else None
        inside = self.open(
            step.span,
            name or place.frame.give(block.name),
            place,
            indexed=block.indexed,
            scope={**self.params, **arguments},
            closed=True,
            owner=owner,
        )
        out = self.body(block.layers, flow, inside)
        return self.close("block", step.span, inside, flow, out, place, block=block.name, arguments=arguments)

    def arguments(self, step: CallStep, block: Block, flow: Flow, place: Place) -> dict[str, Data]:
        """The arguments of a call: those given, and the defaults of the others."""
        given = dict(step.arguments)
        usage = f"{block.name}: {{{', '.join(f'{name}: ...' for name in block.arguments)}}}"
        if PRINCIPAL in given:
            if len(block.arguments) != 1:
                raise fail(
                    "wrong-arguments",
                    f"'{block.name}' takes {len(block.arguments)} arguments, by name",
                    step.span,
                    help=f"write {usage}",
                )
            given[next(iter(block.arguments))] = given.pop(PRINCIPAL)
        for name, value in given.items():
            if name not in block.arguments:
                raise fail(
                    "unknown-argument",
                    f"'{block.name}' takes no argument '{name}'",
                    value.span,
                    help=did_you_mean(name, block.arguments),
                )
        values: dict[str, Data] = {}
        for name, default in block.arguments.items():
            if name in given:
                values[name] = self.evaluate(given[name], flow, place)
            elif default is not None:
                values[name] = self.evaluate(default, flow, replace(place, scope={**self.params, **values}))
            else:
                raise fail("missing-argument", f"'{block.name}' needs '{name}'", step.span, help=f"write {usage}")
        return values

    def sequential(self, step: SequentialStep, name: str | None, flow: Flow, place: Place) -> Flow:
        if step.indexed and name is None:
            name = place.frame.give("sequential")
        inside = self.open(step.span, name, place, indexed=step.indexed)
        out = self.body(step.layers, flow, inside)
        return self.close("sequential", step.span, inside, flow, out, place)

    def side(self, step: SideStep, name: str | None, flow: Flow, place: Place) -> Flow:
        inside = self.open(step.span, name, place)
        out = self.body(step.layers, flow, inside)
        self.close("side", step.span, inside, flow, out, place, training_only=step.training_only)
        return flow

    def residual(self, step: ResidualStep, name: str | None, flow: Flow, place: Place) -> Flow:
        inside = self.open(step.span, name, place)
        ends = [
            *self.path("layers", None, step.layers, step, flow, inside),
            *self.path("shortcut", None, step.shortcut, step, flow, inside),
        ]
        out = self.join(step, ends, flow, inside)
        return self.close("residual", step.span, inside, flow, out, place)

    def parallel(self, step: ParallelStep, name: str | None, flow: Flow, place: Place) -> Flow:
        ends: list[Source | None] = []
        if step.rounds is None:
            inside = self.open(step.span, name, place)
            for i, (path, layers) in enumerate(step.paths):
                ends += self.path(path or f"path {i + 1}", path, layers, step, flow, inside)
        else:
            scopes = self.scopes(step.rounds, flow, place)
            inside = self.open(step.span, name, place, rounds=len(scopes))
            for i, scope in enumerate(scopes):
                within = replace(inside, scope=scope)
                ends += self.path(f"path {i + 1}", None, step.rounds.layers, step, flow, within)
        out = self.join(step, ends, flow, inside)
        return self.close("parallel", step.span, inside, flow, out, place)

    def path(
        self, label: str, name: str | None, layers: Body, step: Step, flow: Flow, place: Place
    ) -> list[Source | None]:
        """Build one path of a join: what it makes, with its label, or None where that is unknown."""
        inside = self.open(step.span, name, place)
        out = self.body(layers, flow, inside)
        self.close("path", step.span, inside, flow, out, place, label=label)
        if out is None:
            return [None]
        return [Source(label, value, "" if layers else "identity") for value in out]

    def join(self, step: ResidualStep | ParallelStep, ends: Sequence[Source | None], flow: Flow, place: Place) -> Flow:
        """Make one value of the ends of paths; None where one of them is unknown or they do not fit."""
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return None
        try:
            if not known:
                raise fail("wrong-arity", "there is no path to join", step.span, help="write at least one path")
            if step.crop:
                known = self.crop(known, step, flow, place)
            name = step.join.name.fill(place.scope) if step.join.name else None
            return self.node(self.make_op(step.join, flow, place), known, name, step, flow, place)
        except ArchspecError as error:
            help = projection(known) if isinstance(step, ResidualStep) else None
            self.report(ArchspecError(replace(found, help=found.help or help) for found in error.diagnostics))
            return None

    def crop(self, ends: Sequence[Source], step: Step, flow: Flow, place: Place) -> list[Source]:
        """The paths, the larger ones cut to the smallest."""
        cut: list[Source] = []
        for end, size in zip(ends, crop_sizes([end.value.type for end in ends]), strict=True):
            if size is not None:
                op = self.maker.op(OP_KINDS["center_crop"], {"size": size}, {}, step.span)
                (value,) = self.node(op, [end], None, step, flow, place) or ()
                cut.append(replace(end, value=value))
            else:
                cut.append(end)
        return cut

    def repeat(self, step: RepeatStep, name: str | None, flow: Flow, place: Place) -> Flow:
        scopes = self.scopes(step.rounds, flow, place)
        changing = step.name is not None and not step.name.names.isdisjoint((step.rounds.index, *step.rounds.targets))
        outside = self.open(
            step.span,
            step.name.fill(place.scope) if step.name and not changing else None,
            place,
            indexed=True,
            rounds=len(scopes),
        )
        before = flow
        for scope in scopes:
            if changing and step.name is not None:
                name = step.name.fill(scope)
            elif step.name is not None:
                name = outside.frame.give("")
            inside = self.open(step.span, name, outside, scope=scope)
            start, flow = flow, self.body(step.rounds.layers, flow, inside)
            self.close("iteration", step.span, inside, start, flow, outside)
        return self.close("repeat", step.span, outside, before, flow, place)

    def scopes(self, rounds: Rounds, flow: Flow, place: Place) -> list[Scope]:
        """What expressions may name in each round.

        Raises:
            ArchspecError: the rounds cannot be counted, or are too many.
        """
        entries: tuple[Data, ...] | range
        if rounds.over is not None:
            over = self.evaluate(rounds.over, flow, place)
            if not isinstance(over, tuple):
                raise fail("wrong-value", f"'over' is a list, not {show(over)}", rounds.over.span)
            entries = over
        else:
            assert rounds.times is not None
            times = whole(value := self.evaluate(rounds.times, flow, place))
            if times is None or times < 0:
                raise fail(
                    "wrong-value", f"'times' is a whole number of at least 0, not {show(value)}", rounds.times.span
                )
            if times * place.rounds > MAX_LAYERS:
                raise self.too_many(rounds.times.span, times * place.rounds)
            entries = range(times)
        return [self.round_scope(rounds, i, entry, place) for i, entry in enumerate(entries)]

    def round_scope(self, rounds: Rounds, number: int, entry: Data, place: Place) -> Scope:
        scope = dict(place.scope)
        if rounds.index is not None:
            scope[rounds.index] = number
        if len(rounds.targets) == 1:
            scope[rounds.targets[0]] = entry
        elif rounds.targets:
            if not isinstance(entry, tuple) or len(entry) != len(rounds.targets):
                raise fail(
                    "wrong-value",
                    f"'as' takes entries of {len(rounds.targets)} apart, and entry {number} of 'over' is {show(entry)}",
                    rounds.span,
                )
            scope.update(zip(rounds.targets, entry, strict=True))
        return scope

    # --- expressions ---

    def evaluate(self, value: Written, flow: Flow, place: Place) -> Data:
        """What a value is worth here, where `in` is what flows in.

        Raises:
            ArchspecError: the expression is wrong.
            _Unknown: it asks about a value nobody knows.
        """
        if "in" not in value.names:
            return value.evaluate(place.scope)
        if flow is None:
            raise _Unknown
        return value.evaluate({**place.scope, "in": Inflow(flow[0].type.sizes)})

    def holds(self, condition: Written, flow: Flow, place: Place) -> bool:
        """Whether a condition is true here."""
        value = self.evaluate(condition, flow, place)
        if not isinstance(value, bool):
            raise fail(
                "wrong-value",
                f"a condition is true or false, not {show(value)}",
                condition.span,
                help="compare it with something",
            )
        return value

    def too_many(self, span: Span, count: int | None = None) -> ArchspecError:
        what = f"{count:,} rounds" if count else f"more than {MAX_LAYERS:,} layers"
        return fail(
            "too-large", f"the network would have {what} here", span, help=f"at most {MAX_LAYERS:,} are allowed"
        )


_BUILD: Mapping[type[Step], Callable[[_Builder, Any, str | None, Flow, Place], Flow]] = {
    BrokenStep: _Builder.broken,
    OpStep: _Builder.op,
    CallStep: _Builder.call,
    SequentialStep: _Builder.sequential,
    SideStep: _Builder.side,
    ResidualStep: _Builder.residual,
    ParallelStep: _Builder.parallel,
    RepeatStep: _Builder.repeat,
}


def _as_op(step: CallStep, op: type[Op]) -> OpStep:
    """A call whose computed name turned out to be an op's."""
    attributes = dict(step.arguments)
    if PRINCIPAL in attributes and op.principal is not None:
        attributes[op.principal] = attributes.pop(PRINCIPAL)
    weighing = Weighing(share=step.share) if step.share else NO_WISHES
    return OpStep(step.span, step.name, step.sources, step.when, op=op, attributes=attributes, weighing=weighing)


def _shapes(node: Node) -> str:
    return ", ".join(f"{weight.name} {list(weight.shape)}" for weight in node.weights)
