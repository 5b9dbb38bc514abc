"""Layers that are referred to before they are built: whether they only come too late, or wait for one another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from archspec.diagnostics import ArchspecError, Note, Span, fail
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import (
    Body,
    CallStep,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Step,
)


def too_early(
    name: str, span: Span, step: Step, bodies: tuple[Body, ...], *, waits: bool = True
) -> ArchspecError | None:
    """The error of a step that refers to a layer further down in one of `bodies`; None where none has the name.

    The step `waits` for the value of that layer, or only wants its weights.
    """
    for body in bodies:
        positions = _positions(body)
        if name not in positions:
            continue
        later = positions[name]
        here = next((i for i, item in enumerate(body) if _holds(item, step)), None)
        if here == later and not _is_called(body[later], name):
            return too_early(name, span, step, inside(body[later]), waits=waits) or _after(name, body[later], span)
        if waits and here is not None and (ring := _ring(body, positions, here, later)):
            return _cycle(body, ring, name, span)
        return _after(name, body[later], span)
    return None


def _after(name: str, later: Step, span: Span) -> ArchspecError:
    notes = [(f"'{name}':", f"line {later.span.line}")]
    help = f"layers come in order: move '{name}' up, or name a layer above this one"
    return fail("unknown-layer", f"'{name}' comes after this layer", span, notes=notes, help=help)


def inside(step: Step) -> tuple[Body, ...]:
    """The lists of layers a step holds."""
    if isinstance(step, SequentialStep | SideStep):
        return (step.layers,)
    if isinstance(step, ResidualStep):
        return step.layers, step.shortcut
    if isinstance(step, RepeatStep):
        return (step.rounds.layers,)
    if isinstance(step, ParallelStep):
        return (step.rounds.layers,) if step.rounds else tuple(path for _, path in step.paths)
    return ()


def _names(step: Step) -> Iterator[str]:
    """The names a step gives to the layers around it: its own or, if it has none, those inside it."""
    if step.name is not None:
        if step.name.constant is not None:
            yield step.name.constant
        return
    if isinstance(step, ParallelStep):
        yield from (name.constant for name, _ in step.paths if name is not None and name.constant is not None)
    for body in inside(step):
        for inner in body:
            yield from _names(inner)


def _positions(body: Body) -> dict[str, int]:
    """Which step of a body gives which name."""
    return {name: i for i in reversed(range(len(body))) for name in _names(body[i])}


def _is_called(step: Step, name: str) -> bool:
    return step.name is not None and step.name.constant == name


def _holds(step: Step, wanted: Step) -> bool:
    return step is wanted or any(_holds(inner, wanted) for body in inside(step) for inner in body)


def _ring(body: Body, positions: dict[str, int], here: int, later: int) -> list[int] | None:
    """The fewest steps that wait for one another once step `here` takes the value of step `later`, in that order."""
    needed_by = {later: here}
    queue = deque([later])
    while queue and here not in needed_by:
        step = queue.popleft()
        for needed in _needs(body, positions, step):
            if needed not in needed_by:
                needed_by[needed] = step
                queue.append(needed)
    if here not in needed_by:
        return None
    ring = [here]
    while (step := needed_by[ring[-1]]) != here:
        ring.append(step)
    return [here, *reversed(ring[1:])]


def _needs(body: Body, positions: dict[str, int], index: int) -> Iterator[int]:
    """The steps above a step whose values it takes."""
    step = body[index]
    if step.sources is None or any(source.constant == PREVIOUS for source in step.sources):
        above = (i for i in reversed(range(index)) if not isinstance(body[i], SideStep))
        yield from islice(above, 1)
    yield from (positions[name] for name in _references(step) if positions.get(name, index) < index)


def _references(step: Step) -> Iterator[str]:
    for source in step.sources or ():
        if source.constant is not None:
            yield source.constant.partition(".")[0]
    for body in inside(step):
        for inner in body:
            yield from _references(inner)


def _cycle(body: Body, ring: list[int], name: str, span: Span) -> ArchspecError:
    help = "layers come in order: take the value of a layer above this one"
    titles = [_title(body[i]) for i in ring]
    if len(ring) == 1:
        return fail("cycle", f"{titles[0]} needs its own value", span, help=help)
    notes: list[Note] = [
        (f"{titles[i]}:", f"line {body[place].span.line}", f"needs {titles[(i + 1) % len(ring)]}")
        for i, place in enumerate(ring[:_SHOWN])
    ]
    if len(ring) > _SHOWN:
        notes.append((f"and {len(ring) - _SHOWN} more",))
    message = f"{titles[0]} needs '{name}', and '{name}' needs {titles[0]}"
    return fail("cycle", message, span, notes=notes, help=help)


_SHOWN = 6


def _title(step: Step) -> str:
    """A step by its name, or by what it is."""
    if step.name is not None:
        return f"'{step.name.scalar.text}'"
    if isinstance(step, OpStep):
        return f"the {step.op.kind}"
    if isinstance(step, CallStep):
        return f"the {step.callee.scalar.text}"
    return f"the {type(step).__name__.removesuffix('Step').lower()}"
