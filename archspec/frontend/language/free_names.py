"""The names that steps read, and the steps inside steps."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Body, CallStep, Iterations, JoinStep, OpStep, ParallelStep, RepeatStep, Step


def steps_in(body: Body) -> Iterator[Step]:
    """All steps of a body, with those inside structures and the joins of paths."""
    for step in body:
        yield step
        if isinstance(step, JoinStep):
            yield step.join
        for inner in step.bodies():
            yield from steps_in(inner)


def iterations_of(step: Step) -> Iterations | None:
    """The iterations of a repeat, or of a parallel with generated paths."""
    return step.iterations if isinstance(step, RepeatStep | ParallelStep) else None


def free_names(body: Body) -> set[str]:
    """The names that a body reads and that its own iterations do not bind."""
    names: set[str] = set()
    for step in body:
        inner = set[str]().union(*(free_names(each) for each in step.bodies()))
        iterations = iterations_of(step)
        if iterations is not None:
            inner = inner_names(step, iterations, inner) - set(bound_names(iterations))
        names |= inner
        names.update(*(field.names for field in _fields(step)))
    return names


def inner_names(step: Step, iterations: Iterations, names: set[str] | None = None) -> set[str]:
    """The names read in each iteration, also by the name of a repeat, which can differ in each."""
    names = free_names(iterations.layers) if names is None else names
    return names | step.name.names if isinstance(step, RepeatStep) and step.name is not None else names


def bound_names(iterations: Iterations) -> tuple[str, ...]:
    """The names that iterations bind: those of the entry and of the iteration number."""
    return (*iterations.targets, *([iterations.index] if iterations.index is not None else ()))


def _fields(step: Step) -> Iterator[Field]:
    """The fields of a step that are evaluated outside of its iterations."""
    if step.name is not None and not isinstance(step, RepeatStep):
        yield step.name
    yield from step.sources or ()
    yield from (field for field in (step.when, step.trainable) if field is not None)
    if isinstance(step, JoinStep):
        yield from _fields(step.join)
    if isinstance(step, CallStep):
        yield step.callee
        yield from (argument.value for argument in step.arguments.values())
        yield from (field for field in (step.share, step.until) if field is not None)
    if isinstance(step, OpStep):
        options = step.weight_options
        yield from step.attributes.values()
        yield from (field for field in (options.share, options.fixed) if field is not None)
        yield from (field for spec in options.initializers.values() for field in spec.options.values())
    iterations = iterations_of(step)
    if iterations is not None:
        yield from (field for field in (iterations.times, iterations.over) if field is not None)
    if isinstance(step, ParallelStep):
        yield from (name for name, _ in step.paths if name is not None)
