"""Forward references: a layer that is used before it is built, either out of order or in a cycle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from archspec.diagnostics import ArchspecError, Note, Span, fail
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import Body, CallStep, OpStep, ParallelStep, SideStep, Step


def forward_reference(
    name: str, span: Span, step: Step, bodies: tuple[Body, ...], *, needs_value: bool = True
) -> ArchspecError | None:
    """The error for a step that refers to a layer below it.

    Args:
        name: the layer referred to.
        span: where the reference is.
        step: the step that contains it.
        bodies: the lists of layers to search.
        needs_value: whether the step reads the layer's value, or only shares its weights.

    Returns:
        None if no layer in `bodies` has the name.
    """
    for body in bodies:
        positions = _positions(body)
        if name not in positions:
            continue
        later = positions[name]
        here = next((i for i, item in enumerate(body) if _contains(item, step)), None)
        if here == later and not _has_name(body[later], name):
            inner = forward_reference(name, span, step, body[later].bodies(), needs_value=needs_value)
            return inner or _out_of_order(name, body[later], span)
        if needs_value and here is not None and (cycle := _shortest_cycle(body, positions, here, later)):
            return _cycle_error(body, cycle, name, span)
        return _out_of_order(name, body[later], span)
    return None


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


def _positions(body: Body) -> dict[str, int]:
    """The index in `body` of the first step that defines each name."""
    return {name: i for i in reversed(range(len(body))) for name in _names(body[i])}


def _has_name(step: Step, name: str) -> bool:
    return step.name is not None and step.name.constant == name


def _contains(step: Step, wanted: Step) -> bool:
    return step is wanted or any(_contains(inner, wanted) for body in step.bodies() for inner in body)


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
