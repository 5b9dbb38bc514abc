"""How far a spec expands, as far as can be told before anything is built: endless recursion, and networks too large.

Only what surely happens counts: not what a `when` may leave out, nor rounds whose number is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from archspec.diagnostics import Diagnostic
from archspec.frontend.language.fields import Constant, Field, ListOf
from archspec.frontend.language.spec import (
    Block,
    Body,
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
from archspec.frontend.limits import MAX_LAYERS

Blocks = Mapping[str, Block | None]


def loops(blocks: Blocks) -> Iterator[tuple[Sequence[str], Diagnostic]]:
    """The blocks that call themselves, or one another in a ring, with no `when` to end it, each with what to say."""
    calls = {name: _calls(block.layers, blocks) if block else {} for name, block in blocks.items()}
    while loop := _loop(calls):
        first, *others = loop
        calling = ", which calls ".join(f"'{name}'" for name in [*others, first]) if others else "itself"
        message = f"'{first}' calls {calling}, with no `when` to end the recursion"
        span = calls[first][others[0] if others else first].span
        help = "add a condition to the call, such as when: depth > 0"
        yield loop, Diagnostic("endless-recursion", message, span, help=help)
        calls |= {name: {} for name in loop}


def layers_at_least(spec: Spec) -> Diagnostic | None:
    """What to say where the layers that surely are there are more than there may be."""
    known = _layers_of(spec.library({}), {})
    for step in spec.layers:
        if (count := _count((step,), known)) > MAX_LAYERS:
            message = f"the network would have {_amount(count)} layers here"
            return Diagnostic("too-large", message, step.span, help=f"at most {MAX_LAYERS:,} are allowed")
    return None


def _layers_of(library: Library, done: dict[Library, dict[str, int]]) -> dict[str, int]:
    """The layers each block surely makes that can be called in a file; `done` are the libraries gone through."""
    if library not in done:
        blocks = library.blocks
        known = {name: _layers_of(other, done)[name] for name, other in library.imports.items()}
        calls = {name: _calls(block.layers, blocks) if block else {} for name, block in blocks.items()}
        for name in TopologicalSorter(calls).static_order():
            block = blocks[name]
            known[name] = _count(block.layers, known) if block else 0
        done[library] = known
    return done[library]


def _amount(count: int) -> str:
    return f"{count:,}" if count < 10**12 else f"more than {10**12:,}"


def _loop(calls: Mapping[str, Mapping[str, CallStep]]) -> list[str] | None:
    """The names around one ring of calls, from the first block of the file on."""
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1][:0:-1]  # in the order of calls, without the name that closes the ring
        order = list(calls)
        start = min(range(len(ring)), key=lambda i: order.index(ring[i]))
        return ring[start:] + ring[:start]
    return None


def _calls(body: Body, blocks: Blocks) -> dict[str, CallStep]:
    """The blocks a body surely calls, each with its first call."""
    found: dict[str, CallStep] = {}
    for step, _ in _certain(body):
        if isinstance(step, CallStep) and step.callee.constant in blocks:
            found.setdefault(step.callee.constant or "", step)
    return found


def _count(body: Body, known: Mapping[str, int]) -> int:
    """The layers a body surely makes, where those of blocks are known."""
    return sum(
        times * (known.get(step.callee.constant or "", 1) if isinstance(step, CallStep) else 1)
        for step, times in _certain(body)
    )


def _certain(body: Body) -> Iterator[tuple[Step, int]]:
    """The ops and calls in a body that are surely built, and how many times at least."""
    for step in body:
        if step.when is not None and not _is_true(step.when):
            continue
        if isinstance(step, OpStep | CallStep):
            yield step, 1
        elif isinstance(step, SequentialStep | SideStep):
            yield from _certain(step.layers)
        elif isinstance(step, ResidualStep):
            yield from _certain((*step.layers, *step.shortcut, step.join))
        elif isinstance(step, RepeatStep | ParallelStep) and step.iterations is not None:
            yield from _each_round(step.iterations)
        elif isinstance(step, ParallelStep):
            yield from _certain(tuple(item for _, path in step.paths for item in path))


def _each_round(rounds: Iterations) -> Iterator[tuple[Step, int]]:
    count = _rounds_at_least(rounds)
    if count > 0:
        for step, times in _certain(rounds.layers):
            yield step, times * count


def _rounds_at_least(rounds: Iterations) -> int:
    if isinstance(rounds.over, ListOf):
        return len(rounds.over.items)
    written = rounds.over or rounds.times
    value = written.value if isinstance(written, Constant) else 0
    if isinstance(value, tuple):
        return len(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _is_true(condition: Field) -> bool:
    return isinstance(condition, Constant) and condition.value is True
