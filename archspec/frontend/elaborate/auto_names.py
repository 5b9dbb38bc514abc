"""Names of layers: the name in the spec, or else the op's kind, the block's name or a number."""

from __future__ import annotations

import re

from archspec.diagnostics import ArchspecError, fail
from archspec.frontend.elaborate.symbols import SymbolTable
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.language.fields import TemplateField
from archspec.frontend.language.identifiers import check_name
from archspec.frontend.language.spec import BrokenStep, CallStep, OpStep, RepeatStep, SequentialStep, Step

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")

NameAndError = tuple[str, ArchspecError | None]
"""A free name, and the error to report if it is not the name in the spec."""


def explicit_name(template: TemplateField, symbols: SymbolTable, environment: Environment) -> NameAndError:
    """The name a template gives, or a fresh one if it is taken.

    Raises:
        ArchspecError: it is not a valid name.
    """
    name = template.fill(environment)
    if template.constant is None:
        check_name(name, template.span)
    existing = symbols.entries.get(name)
    if existing is None:
        return name, None
    if name in symbols.inputs:
        message = f"'{name}' is already an input of the block"
        return symbols.fresh_name(name), fail("duplicate-name", message, template.span, help="choose another name")
    is_same_text = existing.span.line == template.span.line
    help = "choose another name"
    if is_same_text and template.constant is None:
        help = "give each iteration another name"
    elif is_same_text:
        help = f"add the index of the iteration to the name: {name}$i"
    notes = () if is_same_text else [("first", f"line {existing.span.line}")]
    message = f"another layer is already called '{name}'"
    return symbols.fresh_name(name), fail("duplicate-name", message, template.span, notes=notes, help=help)


def local_name(step: Step, symbols: SymbolTable, environment: Environment) -> NameAndError | None:
    """The name of a step in its scope; None for a structure that adds no name to the paths of its layers.

    Raises:
        ArchspecError: it is not a valid name.
        Invalid: it depends on something an earlier error makes unknown.
    """
    if step.name is None:
        base = _base(step, environment)
        return None if base is None else (symbols.fresh_name(base), None)
    return None if names_iterations(step) else explicit_name(step.name, symbols, environment)


def names_iterations(step: Step) -> bool:
    """Whether a step is a repeat whose name differs in each iteration, so that it names the iterations."""
    if not isinstance(step, RepeatStep) or step.name is None or step.name.constant is not None:
        return False
    return not step.name.names.isdisjoint((step.iterations.index, *step.iterations.targets))


def _base(step: Step, environment: Environment) -> str | None:
    """What a step without a name is named after, if it gets a name."""
    if isinstance(step, OpStep):
        return step.op.kind
    if isinstance(step, CallStep):
        return _NO_NAME.sub("_", step.callee.fill(environment))  # a variant may be called v1.5
    if isinstance(step, BrokenStep):
        return step.kind
    return step.keyword if isinstance(step, SequentialStep) and step.indexed else None
