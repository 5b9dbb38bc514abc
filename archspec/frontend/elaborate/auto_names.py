"""How steps get their names: from the spec, after what they are, or by number."""

from __future__ import annotations

from archspec.diagnostics import ArchspecError, fail
from archspec.frontend.elaborate.symbols import SymbolTable
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.language.fields import Template
from archspec.frontend.language.identifiers import check_name
from archspec.frontend.language.spec import BrokenStep, CallStep, OpStep, RepeatStep, SequentialStep, Step

Claim = tuple[str, ArchspecError | None]
"""A name, and what to report if it is another than was asked for."""


def claim(template: Template, frame: SymbolTable, scope: Environment) -> Claim:
    """The name a template gives; another where that is taken.

    Raises:
        ArchspecError: it cannot be a name.
    """
    name = template.fill(scope)
    if template.constant is None:
        check_name(name, template.span)
    before = frame.entries.get(name)
    if before is None:
        return name, None
    again = before.span.line == template.span.line
    help = "choose another name"
    if again and template.constant is None:
        help = "make the name change from round to round"
    elif again:
        help = f"put what changes from round to round into the name: {name}$i"
    notes = () if again else [("first", f"line {before.span.line}")]
    message = f"'{name}' is the name of another layer already"
    return frame.give(name), fail("duplicate-name", message, template.span, notes=notes, help=help)


def local_name(step: Step, frame: SymbolTable, scope: Environment) -> Claim | None:
    """What a step is called among its neighbours; None for a structure that lends its layers no name.

    Raises:
        ArchspecError: it cannot be called so.
        Unknown: a mistake leaves nobody to tell.
    """
    if step.name is None:
        base = _base(step, scope)
        return None if base is None else (frame.give(base), None)
    return None if named_by_round(step) else claim(step.name, frame, scope)


def named_by_round(step: Step) -> bool:
    """Whether a step is a repeat whose name changes from round to round, and so names the rounds."""
    if not isinstance(step, RepeatStep) or step.name is None or step.name.constant is not None:
        return False
    return not step.name.names.isdisjoint((step.rounds.index, *step.rounds.targets))


def _base(step: Step, scope: Environment) -> str | None:
    """What a step without a name is called after, if it gets a name."""
    if isinstance(step, OpStep):
        return step.op.kind
    if isinstance(step, CallStep):
        return step.callee.fill(scope)
    if isinstance(step, BrokenStep):
        return step.kind
    return "sequential" if isinstance(step, SequentialStep) and step.indexed else None
