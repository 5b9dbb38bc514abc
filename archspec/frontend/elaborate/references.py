"""What steps refer to: the values they take instead of the one before, and the weights they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics import ArchspecError, Diagnostic, Span, fail
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.shape_mismatch import Source
from archspec.frontend.elaborate.symbols import Flow, SymbolTable
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.fields import Template
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import Returned, Step
from archspec.ir.graph import Value


def inflow(step: Step, flow: Flow, place: BuildContext) -> Flow:
    """What flows into a step: the values before it, or those it names; None where nobody can tell.

    Raises:
        ArchspecError: it names values that are not there; all of them are told.
    """
    if step.sources is None:
        return flow
    found: list[Value] = []
    faults: list[Diagnostic] = []
    known = True
    for template in step.sources:
        try:
            values = _named(template, step, flow, place)
            found += values or ()
            known = known and values is not None
        except Invalid:
            known = False
        except ArchspecError as error:
            faults += error.diagnostics
    if faults:
        raise ArchspecError(faults)
    return tuple(found) if known else None


def _named(template: Template, step: Step, flow: Flow, place: BuildContext) -> Flow:
    reference = template.fill(place.scope)
    return flow if reference == PREVIOUS else place.frame.find(reference, template.span, step).flow


def sources(step: Step, flow: Sequence[Value], place: BuildContext) -> list[Source]:
    """The values that flow into a step, under the names it gives them."""
    labels = [template.fill(place.scope) for template in step.sources or ()]
    if len(labels) != len(flow):
        labels = ["input"] * len(flow)
    return [Source(label, value) for label, value in zip(labels, flow, strict=True)]


def lender(share: Template, step: Step, place: BuildContext) -> str:
    """The path of the weights a step wants to share.

    Raises:
        ArchspecError: there is no such layer.
        Unknown: a mistake leaves nobody to tell.
    """
    entry = place.frame.find(share.fill(place.scope), share.span, step, waits=False)
    if entry.flow is None:
        raise Invalid
    return entry.owner


def outputs(
    returned: Sequence[Returned],
    flow: Flow,
    frame: SymbolTable,
    params: Environment,
    inputs: Mapping[str, Span],
    faults: list[Diagnostic],
) -> Iterator[tuple[str, Value]]:
    """The values a network returns under their names: those the spec names, or else what flows out at the end.

    None of them can have the name of an input: in a file of ONNX both are values by their names.
    """
    values = flow or ()
    for i, value in enumerate(() if returned else values):
        name = "output" if len(values) == 1 else f"output{i}"
        if name in inputs:
            message, help = f"'{name}' is also what the network returns", "name the input otherwise, or say 'outputs'"
            faults.append(Diagnostic("duplicate-name", message, inputs[name], help=help))
        yield name, value
    for output in returned:
        if output.name in inputs:
            message, help = f"'{output.name}' is an input already", "return it under another name: {name: value}"
            faults.append(Diagnostic("duplicate-name", message, output.span, help=help))
            continue
        try:
            for value in _returned(output, frame, params):
                yield output.name, value
        except ArchspecError as error:
            faults += error.diagnostics
        except Invalid:
            pass


def _returned(output: Returned, frame: SymbolTable, params: Environment) -> Sequence[Value]:
    flow = frame.find(output.source.fill(params), output.source.span).flow
    if flow and len(flow) > 1:
        message = f"'{output.name}' is {len(flow)} values, and an output is one"
        help = f"name one of them: {', '.join(value.name for value in flow)}"
        raise fail("wrong-arity", message, output.source.span, help=help)
    return flow or ()
