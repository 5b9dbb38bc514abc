"""Warnings about structures without a name among layers that `naming: index` numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.diagnostics import Diagnostic
from archspec.frontend.language.spec import (
    Block,
    Body,
    CallStep,
    JoinStep,
    OpStep,
    ParallelStep,
    RepeatStep,
    SequentialStep,
    SideStep,
    Step,
)


def unnumbered_structures(layers: Body, blocks: Mapping[str, Block | None]) -> Iterator[Diagnostic]:
    """A warning for each structure whose layers are numbered in its place, though `nn.Sequential` would number it.

    A `sequential` with a condition is exempt: it groups the layers that the condition leaves out.
    """
    yield from _unnumbered(layers, False)
    for block in blocks.values():
        if block is not None:
            yield from _unnumbered(block.layers, block.indexed)


def _unnumbered(body: Body, numbered: bool) -> Iterator[Diagnostic]:
    for step in body:
        bodies = _bodies(step, numbered)
        groups = isinstance(step, SequentialStep) and step.when is not None
        structure = isinstance(step, SequentialStep | JoinStep | SideStep) and not groups
        if numbered and structure and not _has_level(step) and _takes_number(step):
            message = f"this {step.keyword} has no name, so its layers are numbered with those around it"
            help = "`nn.Sequential` would number it: to do the same, give it its number as its name, such as name: 2"
            yield Diagnostic("unnumbered-structure", message, step.span, help=help)
            bodies = [(inner, False) for inner, _ in bodies]
        for inner, is_numbered in bodies:
            yield from _unnumbered(inner, is_numbered)


def _bodies(step: Step, numbered: bool) -> list[tuple[Body, bool]]:
    """The lists of layers in a step, and whether each is numbered, if the step is among numbered layers."""
    if isinstance(step, SequentialStep) and _has_level(step):
        return [(step.layers, step.indexed)]
    numbered = numbered and step.name is None
    if isinstance(step, ParallelStep) and step.iterations is None:
        return [(layers, numbered and name is None) for name, layers in step.paths]
    return [(layers, numbered) for layers in step.bodies()]


def _has_level(step: Step) -> bool:
    """Whether a structure adds a level to the names of its layers."""
    return step.name is not None or (isinstance(step, SequentialStep) and step.indexed)


def _takes_number(step: Step) -> bool:
    """Whether a step among numbered layers, or a layer inside it, gets a number."""
    if isinstance(step, OpStep | CallStep):
        return step.name is None
    if isinstance(step, SequentialStep | SideStep | RepeatStep | JoinStep) and not _has_level(step):
        joins = isinstance(step, JoinStep) and step.join.name is None
        return joins or any(_takes_number(inner) for body, named in _bodies(step, True) if named for inner in body)
    return step.name is None
