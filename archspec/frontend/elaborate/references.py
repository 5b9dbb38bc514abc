"""References of steps: the values named by `from`, the weights named by `share`, and the outputs of the network."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from archspec.diagnostics import ArchspecError, Diagnostic, Span, fail
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.shape_mismatch import LabelledValue
from archspec.frontend.elaborate.symbols import SymbolTable, Values
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Invalid
from archspec.frontend.language.fields import TemplateField
from archspec.frontend.language.identifiers import ENTRY, PREVIOUS, check_name
from archspec.frontend.language.spec import CallStep, OpStep, Returned, Step
from archspec.frontend.limits import MAX_ERRORS
from archspec.frozen import replace
from archspec.ir.graph import Value
from archspec.ops.attribute_types import attributes_of


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
    by_name = isinstance(step, CallStep) and bool(step.input_names)
    for template in step.sources:
        try:
            referenced: list[Value] = []
            for reference in _references(template, context):
                found = _referenced(reference, template, step, values, context)
                referenced += found or ()
                known = known and found is not None
            if by_name and known and len(referenced) != 1:
                message = f"an input is one value, but '{template.scalar.text}' refers to {len(referenced)}"
                raise _one_of(message, template.span, [value.name for value in referenced])
            inputs += referenced
        except Invalid:
            known = False
        except ArchspecError as error:
            errors += error.diagnostics
    if errors:
        raise ArchspecError(errors)
    if known and not inputs and step.sources:
        help = "name a layer, or give this one a `when` as well"
        raise fail("wrong-value", "the list of inputs is empty", step.sources[0].span, help=help)
    return tuple(inputs) if known else None


def _references(template: TemplateField, context: BuildContext) -> tuple[str, ...]:
    """The references in an entry of `from`: one, or those of a list."""
    name = template.only_hole
    if name in context.inputs and name not in context.environment:
        raise fail("unknown-name", f"'{name}' is an input, not a text", template.span, help=f"write {name}")
    return template.fill_all(context.environment)


def _referenced(reference: str, template: TemplateField, step: Step, values: Values, context: BuildContext) -> Values:
    first, _, port = reference.partition(".")
    if first == PREVIOUS:
        if not port:
            return values
        message = f"'{PREVIOUS}' is all that the layer before returns, and has no '{port}'"
        named = f"give that layer a name, and refer to it by the name, as in parts.{port}"
        raise fail("unknown-layer", message, template.span, help=named)
    try:
        return context.symbols.find(reference, template.span, step).values
    except ArchspecError as error:
        help = _reference_help(reference, template, step, context)
        raise ArchspecError(replace(each, help=help or each.help) for each in error.diagnostics) from error


def _reference_help(reference: str, template: TemplateField, step: Step, context: BuildContext) -> str | None:
    """The help for a reference to an unknown layer that looks like something else."""
    first = reference.partition(".")[0]
    if first == ENTRY and not context.blocks:
        return f"only a block has the input '{ENTRY}'; write the name of an input of the network"
    takes_number = isinstance(step, OpStep) and "number" in attributes_of(step.op)
    if takes_number and isinstance(context.environment.get(first), int | float) and first != "in":
        return _number_help(step, reference)
    if template.constant is not None and first in context.environment and first != "in":
        value = context.environment[first]
        if isinstance(value, str) and context.symbols.is_visible_to_caller(value):
            return (
                f"a block sees only its own layers: list '{first}' in its `inputs`, not in its `args`, and call it "
                f"with from: {{{first}: {value}}}"
            )
        return f"write ${reference} for the layer that the value of '{first}' names"
    if takes_number and _NUMBER.fullmatch(reference):
        return _number_help(step, reference)
    if reference.isdigit():
        kind = step.op.kind if isinstance(step, OpStep) else ""
        if kind in _REDUCTIONS:
            return f"'{kind}' joins values; '{_REDUCTIONS[kind]}' reduces axes"
        return "layers are known by names, not by positions: give the layer a name, and write it here"
    return None


def _number_help(step: Step, number: str) -> str:
    kind = step.op.kind if isinstance(step, OpStep) else ""
    return f"write the number as an attribute: - {kind}: {{from: {PREVIOUS}, number: {number}}}"


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")

_REDUCTIONS = {"mean": "reduce_mean"}
"""The op that reduces axes as a join without a number reduces values."""


def labelled_inputs(step: Step, inputs: Sequence[Value], context: BuildContext) -> list[LabelledValue]:
    """The inputs of a step, labelled with the names its `from` uses for them."""
    labels = [label for template in step.sources or () for label in template.fill_all(context.environment)]
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
    taken: set[str] = set()
    for output in returned:
        if len(errors) >= MAX_ERRORS:
            return
        try:
            for name, source in _expanded(output, params):
                _take_name(name, output, inputs, taken)
                for value in _output_values(name, source, output, symbols):
                    yield name, value
        except ArchspecError as error:
            errors += error.diagnostics
        except Invalid:
            pass


def block_outputs(
    returned: Sequence[Returned], context: BuildContext, errors: list[Diagnostic]
) -> dict[str, Value] | None:
    """The outputs that a block declares, by name; None if one of them is unknown.

    Errors are added to `errors`.
    """
    outputs: dict[str, Value] = {}
    taken: set[str] = set()
    known = True
    for output in returned:
        try:
            for name, reference in _expanded(output, context.environment):
                if context.networks and output.name is output.source:
                    name = name.replace(".", "_")  # an output of a network may be a layer inside a part of it
                check_name(name, output.span)
                _take_name(name, output, context.symbols.inputs, taken)
                values = _output_values(name, reference, output, context.symbols)
                _check_layer(name, values, output, context.symbols)
                outputs.update((name, value) for value in values)
                known = known and bool(values)
        except ArchspecError as error:
            errors += error.diagnostics
            known = False
        except Invalid:
            known = False
    return outputs if known else None


def _check_layer(name: str, values: Sequence[Value], output: Returned, symbols: SymbolTable) -> None:
    """Check that a block has no other layer with the name of an output, since both are found under it.

    Raises:
        ArchspecError: it has one.
    """
    layer = symbols.entries.get(name)
    if values and layer is not None and layer.values not in (None, tuple(values)):
        message = f"'{name}' is a layer of the block, but another value is returned as '{name}'"
        raise fail("duplicate-name", message, output.span, help="give the output another name")


def _expanded(output: Returned, params: Environment) -> list[tuple[str, str]]:
    """The name and the reference of an output; of each, if the reference is a list and has no name."""
    if output.name is not output.source:
        return [(output.name.fill(params), output.source.fill(params))]
    return [(reference, reference) for reference in output.source.fill_all(params)]


def _take_name(name: str, output: Returned, inputs: Collection[str], taken: set[str]) -> None:
    """Add the name of an output to those `taken` by the outputs before it.

    Raises:
        ArchspecError: it is not a valid name, or is that of an input or of another output.
    """
    if output.name is not output.source:
        check_name(name, output.span)
    if name in inputs:
        help = "give the output another name: {name: value}"
        raise fail("duplicate-name", f"'{name}' is already an input", output.span, help=help)
    if name in taken:
        raise fail("duplicate-name", f"'{name}' is returned twice", output.span, help="remove one of them")
    taken.add(name)


def _output_values(name: str, reference: str, output: Returned, symbols: SymbolTable) -> Sequence[Value]:
    symbol = symbols.find(reference, output.source.span)
    values = symbol.values
    if values and len(values) > 1:
        message = f"'{name}' refers to {len(values)} values, but an output is one value"
        names = [f"{reference}.{port}" for port in symbol.ports] or [value.name for value in values]
        raise _one_of(message, output.source.span, names)
    return values or ()


def _one_of(message: str, span: Span, names: Sequence[str]) -> ArchspecError:
    """The error of a reference to several values where one is expected."""
    return fail("wrong-arity", message, span, help=f"name one of them: {', '.join(names)}")
