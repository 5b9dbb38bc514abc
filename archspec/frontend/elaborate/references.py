"""References of steps: the values named by `from`, the weights named by `share`, and the outputs of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics import ArchspecError, Diagnostic, Span, fail
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.shape_mismatch import LabelledValue
from archspec.frontend.elaborate.symbols import SymbolTable, Values
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.fields import TemplateField
from archspec.frontend.language.identifiers import PREVIOUS
from archspec.frontend.language.spec import Returned, Step
from archspec.ir.graph import Value


def inputs_of(step: Step, values: Values, context: BuildContext) -> Values:
    """The inputs of a step: `values`, which the step before it returns, or those its `from` names.

    Raises:
        ArchspecError: it names values that do not exist; the error has a diagnostic for each.
    """
    if step.sources is None:
        return values
    inputs: list[Value] = []
    errors: list[Diagnostic] = []
    known = True
    for template in step.sources:
        try:
            referenced = _referenced(template, step, values, context)
            inputs += referenced or ()
            known = known and referenced is not None
        except Invalid:
            known = False
        except ArchspecError as error:
            errors += error.diagnostics
    if errors:
        raise ArchspecError(errors)
    return tuple(inputs) if known else None


def _referenced(template: TemplateField, step: Step, values: Values, context: BuildContext) -> Values:
    reference = template.fill(context.environment)
    return values if reference == PREVIOUS else context.symbols.find(reference, template.span, step).values


def labelled_inputs(step: Step, inputs: Sequence[Value], context: BuildContext) -> list[LabelledValue]:
    """The inputs of a step, labelled with the names its `from` uses for them."""
    labels = [template.fill(context.environment) for template in step.sources or ()]
    if len(labels) != len(inputs):
        labels = ["input"] * len(inputs)
    return [LabelledValue(label, value) for label, value in zip(labels, inputs, strict=True)]


def shared_weight_owner(share: TemplateField, step: Step, context: BuildContext) -> str:
    """The path of the weights that the `share` of a step names.

    Raises:
        ArchspecError: there is no such layer.
        Invalid: an earlier error makes it unknown.
    """
    symbol = context.symbols.find(share.fill(context.environment), share.span, step, needs_value=False)
    if symbol.values is None:
        raise Invalid
    return symbol.weight_owner


def network_outputs(
    returned: Sequence[Returned],
    values: Values,
    symbols: SymbolTable,
    params: Environment,
    inputs: Mapping[str, Span],
    errors: list[Diagnostic],
) -> Iterator[tuple[str, Value]]:
    """The names and values of the network's outputs: those the spec declares, or else `values`, the last step's.

    An output cannot have the name of an input, since ONNX identifies both by name. Errors are added to `errors`.
    """
    last = values or ()
    for i, value in enumerate(() if returned else last):
        name = "output" if len(last) == 1 else f"output{i}"
        if name in inputs:
            message, help = f"'{name}' is also the name of an output", "rename the input, or declare `outputs`"
            errors.append(Diagnostic("duplicate-name", message, inputs[name], help=help))
        yield name, value
    for output in returned:
        if output.name in inputs:
            message, help = f"'{output.name}' is already an input", "give the output another name: {name: value}"
            errors.append(Diagnostic("duplicate-name", message, output.span, help=help))
            continue
        try:
            for value in _output_values(output, symbols, params):
                yield output.name, value
        except ArchspecError as error:
            errors += error.diagnostics
        except Invalid:
            pass


def _output_values(output: Returned, symbols: SymbolTable, params: Environment) -> Sequence[Value]:
    values = symbols.find(output.source.fill(params), output.source.span).values
    if values and len(values) > 1:
        message = f"'{output.name}' refers to {len(values)} values, but an output is one value"
        help = f"name one of them: {', '.join(value.name for value in values)}"
        raise fail("wrong-arity", message, output.source.span, help=help)
    return values or ()
