"""Checks of how far a spec expands, before anything is built: endless recursion, and networks that are too large.

Only what always happens counts: not items that a `when` may skip, nor repeats with a computed number of iterations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic
from archspec.frontend.language.fields import ConstantField, Field, ListField
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
    Spec,
    Step,
)
from archspec.frontend.limits import MAX_LAYERS

if TYPE_CHECKING:
    import networkx as nx

Blocks = Mapping[str, Block | None]


def endless_recursions(blocks: Blocks) -> Iterator[tuple[Sequence[str], Diagnostic]]:
    """The cycles of blocks that call one another with no `when` to end the recursion, each with its diagnostic.

    No block is in two of them.
    """
    calls = {name: _calls(block.layers, blocks) if block else {} for name, block in blocks.items()}
    for cycle in _cycles(calls):
        first, *others = cycle
        calling = ", which calls ".join(f"'{name}'" for name in [*others, first]) if others else "itself"
        message = f"'{first}' calls {calling}, with no `when` to end the recursion"
        span = calls[first][others[0] if others else first].span
        help = "add a condition to the call, such as when: depth > 0"
        yield cycle, Diagnostic("endless-recursion", message, span, help=help)


def layers_at_least(spec: Spec) -> Diagnostic | None:
    """The diagnostic of a spec whose layers exceed the limit in any case."""
    known = _layers_of(spec.library({}), {})
    for step in spec.layers:
        if (count := _count((step,), known)) > MAX_LAYERS:
            message = f"the network would have {_amount(count)} layers here"
            return Diagnostic("too-large", message, step.span, help=f"at most {MAX_LAYERS:,} are allowed")
    return None


def _layers_of(library: Library, counted: dict[Library, dict[str, int]]) -> dict[str, int]:
    """The least number of layers of each block a library can call; `counted` has the libraries already counted."""
    if library not in counted:
        blocks = library.blocks
        if library.network is not None:
            of_network = library.network.library({})
            known = _layers_of(of_network, counted)
            counted[library] = dict.fromkeys(blocks, _count(library.network.layers, known))
            return counted[library]
        known = {name: _layers_of(other, counted)[name] for name, other in library.imports.items()}
        calls = {name: _calls(block.layers, blocks) if block else {} for name, block in blocks.items()}
        for name in TopologicalSorter(calls).static_order():
            block = blocks[name]
            known[name] = _count(block.layers, known) if block else 0
        counted[library] = known
    return counted[library]


def _amount(count: int) -> str:
    return f"{count:,}" if count < 10**12 else f"more than {10**12:,}"


def _cycles(calls: Mapping[str, Mapping[str, CallStep]]) -> list[list[str]]:
    """Cycles of calls that share no block, each in the order of its calls and starting with its first in the file."""
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        pass
    else:
        return []
    import networkx as nx  # here, since only a spec with an error needs it

    order = {name: i for i, name in enumerate(calls)}
    graph = nx.DiGraph()
    graph.add_edges_from((name, callee) for name in calls for callee in calls[name])
    cycles: list[list[str]] = []
    for component in list(nx.strongly_connected_components(graph)):
        members = sorted(component, key=order.__getitem__)
        inner = nx.DiGraph()
        inner.add_edges_from((name, callee) for name in members for callee in calls[name] if callee in component)
        for name in members:
            if name in inner:
                cycle = _shortest_cycle(inner, name)
                inner.remove_nodes_from(cycle or [name])
                cycles += [cycle] if cycle else []
    return sorted(cycles, key=lambda cycle: order[cycle[0]])


def _shortest_cycle(graph: nx.DiGraph, node: str) -> list[str] | None:
    """The shortest cycle through a node, starting with it; None if there is none."""
    import networkx as nx

    if graph.has_edge(node, node):
        return [node]
    paths: Mapping[str, list[str]] = nx.single_source_shortest_path(graph, node)
    return min((paths[caller] for caller in graph.predecessors(node) if caller in paths), key=len, default=None)


def _calls(body: Body, blocks: Blocks) -> dict[str, CallStep]:
    """The blocks a body always calls, each with its first call."""
    calls: dict[str, CallStep] = {}
    for step, _ in _certain(body):
        if isinstance(step, CallStep) and step.callee.constant in blocks:
            calls.setdefault(step.callee.constant or "", step)
    return calls


def _count(body: Body, known: Mapping[str, int]) -> int:
    """The least number of layers of a body; `known` has that of each block."""
    return sum(
        times * (known.get(step.callee.constant or "", 1) if isinstance(step, CallStep) and step.until is None else 1)
        for step, times in _certain(body)
    )


def _certain(body: Body) -> Iterator[tuple[Step, int]]:
    """The ops and calls in a body that are always built, and how often each is built at least."""
    for step in body:
        if step.when is not None and not _is_true(step.when):
            continue
        if isinstance(step, OpStep | CallStep):
            yield step, 1
        iterations = step.iterations if isinstance(step, RepeatStep | ParallelStep) else None
        count = 1 if iterations is None else _iterations_at_least(iterations)
        if count > 0:
            for inner_body in step.bodies():
                for inner, times in _certain(inner_body):
                    yield inner, times * count
        if isinstance(step, ResidualStep):
            yield step.join, 1


def _iterations_at_least(iterations: Iterations) -> int:
    """The number of iterations if it is a constant, else 0."""
    if isinstance(iterations.over, ListField):
        return len(iterations.over.items)
    count = iterations.over or iterations.times
    value = count.value if isinstance(count, ConstantField) else 0
    if isinstance(value, tuple):
        return len(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _is_true(condition: Field) -> bool:
    return isinstance(condition, ConstantField) and condition.value is True
