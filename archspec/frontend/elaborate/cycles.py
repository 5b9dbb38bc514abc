"""Forward references: a layer that is used before it is built, either out of order or in a cycle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from archspec.diagnostics import ArchspecError, Note, Span, fail
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import Body, CallStep, OpStep, ParallelStep, SideStep, Step


class LayerIndex:
    """Where names and steps are in the lists of layers of a spec; each list is searched once.

    `traced` counts the layers between references and their targets that were searched for cycles.
    """

    def __init__(self) -> None:
        self.traced = 0
        self._positions: dict[int, dict[str, int]] = {}
        self._steps: dict[int, dict[int, int]] = {}
        self._bodies: list[Body] = []  # kept, since they are identified by their ids

    def positions(self, body: Body) -> dict[str, int]:
        """The index in `body` of the first step that defines each name."""
        if id(body) not in self._positions:
            self._bodies.append(body)
            backwards = reversed(range(len(body)))
            self._positions[id(body)] = {name: i for i in backwards for name in _names(body[i])}
        return self._positions[id(body)]

    def index_of(self, step: Step, body: Body) -> int | None:
        """The index in `body` of the step that is or contains a step."""
        if id(body) not in self._steps:
            self._bodies.append(body)
            self._steps[id(body)] = {id(inner): i for i, item in enumerate(body) for inner in _with_inner(item)}
        return self._steps[id(body)].get(id(step))


def forward_reference(
    name: str, span: Span, step: Step, bodies: tuple[Body, ...], index: LayerIndex, *, needs_value: bool = True
) -> ArchspecError | None:
    """The error for a step that refers to a layer below it.

    Args:
        name: the layer referred to.
        span: where the reference is.
        step: the step that contains it.
        bodies: the lists of layers to search.
        index: the index of the spec's layers.
        needs_value: whether the step reads the layer's value, or only shares its weights.

    Returns:
        None if no layer in `bodies` has the name.
    """
    for body in bodies:
        positions = index.positions(body)
        if name not in positions:
            continue
        later, here = positions[name], index.index_of(step, body)
        if here == later and not _has_name(body[later], name):
            inner = forward_reference(name, span, step, body[later].bodies(), index, needs_value=needs_value)
            return inner or _out_of_order(name, body[later], span)
        if needs_value and here is not None and index.traced <= _MOST_TRACED:
            index.traced += abs(later - here)
            if cycle := _shortest_cycle(body, positions, here, later):
                return _cycle_error(body, cycle, name, span)
        return _out_of_order(name, body[later], span)
    return None


_MOST_TRACED = 100_000
"""The layers that are searched for cycles; references further down are reported as out of order."""


def _out_of_order(name: str, later: Step, span: Span) -> ArchspecError:
    notes = [(f"'{name}':", f"line {later.span.line}")]
    help = f"layers come in order: move '{name}' up, or name a layer above this one"
    return fail("unknown-layer", f"'{name}' comes after this layer", span, notes=notes, help=help)


def _names(step: Step) -> Iterator[str]:
    """The names a step adds to its scope: its own or, if it has none, those inside it."""
    if step.name is not None:
        if step.name.constant is not None:
            yield step.name.constant
        return
    if isinstance(step, ParallelStep):
        yield from (name.constant for name, _ in step.paths if name is not None and name.constant is not None)
    for body in step.bodies():
        for inner in body:
            yield from _names(inner)


def _has_name(step: Step, name: str) -> bool:
    return step.name is not None and step.name.constant == name


def _with_inner(step: Step) -> Iterator[Step]:
    """A step and the steps inside it."""
    yield step
    for body in step.bodies():
        for inner in body:
            yield from _with_inner(inner)


def _shortest_cycle(body: Body, positions: dict[str, int], here: int, later: int) -> list[int] | None:
    """The shortest cycle if step `here` reads step `later`: each step reads the next, and the last the first."""
    import networkx as nx  # here, since only the explanation of an error needs it

    graph = nx.DiGraph()
    graph.add_nodes_from((here, later))
    graph.add_edges_from((i, read) for i in range(here, later + 1) for read in _reads(body, positions, i))
    path = nx.single_source_shortest_path(graph, later).get(here)
    return None if path is None else [here, *path[:-1]]


def _reads(body: Body, positions: dict[str, int], index: int) -> Iterator[int]:
    """The steps above a step whose values it reads."""
    step = body[index]
    if step.sources is None or any(source.constant == PREVIOUS for source in step.sources):
        above = (i for i in reversed(range(index)) if not isinstance(body[i], SideStep))
        yield from islice(above, 1)
    yield from (positions[name] for name in _references(step) if positions.get(name, index) < index)


def _references(step: Step) -> Iterator[str]:
    for source in step.sources or ():
        if source.constant is not None:
            yield source.constant.partition(".")[0]
    for body in step.bodies():
        for inner in body:
            yield from _references(inner)


def _cycle_error(body: Body, cycle: list[int], name: str, span: Span) -> ArchspecError:
    help = "layers come in order: use the value of a layer above this one"
    titles = [_title(body[i]) for i in cycle]
    if len(cycle) == 1:
        return fail("cycle", f"{titles[0]} needs its own value", span, help=help)
    notes: list[Note] = [
        (f"{titles[i]}:", f"line {body[index].span.line}", f"needs {titles[(i + 1) % len(cycle)]}")
        for i, index in enumerate(cycle[:_MAX_SHOWN])
    ]
    if len(cycle) > _MAX_SHOWN:
        notes.append((f"and {len(cycle) - _MAX_SHOWN} more",))
    message = f"{titles[0]} needs '{name}', and '{name}' needs {titles[0]}"
    return fail("cycle", message, span, notes=notes, help=help)


_MAX_SHOWN = 6
"""Steps of a cycle that the notes show."""


def _title(step: Step) -> str:
    """A step by its name, or by its kind."""
    if step.name is not None:
        return f"'{step.name.scalar.text}'"
    if isinstance(step, OpStep):
        return f"the {step.op.kind}"
    if isinstance(step, CallStep):
        return f"the {step.callee.scalar.text}"
    return f"the {type(step).__name__.removesuffix('Step').lower()}"
