"""Binds the inputs and arguments of a call to those of a block, or its arguments to the attributes of an op."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, Note, did_you_mean, fail
from archspec.frontend.elaborate.op_initializers import Evaluate
from archspec.frontend.elaborate.symbols import Values
from archspec.frontend.expressions.values import INVALID, Data, Invalid
from archspec.frontend.foreign_names import call_help
from archspec.frontend.language.fields import Field
from archspec.frontend.language.params import param_values
from archspec.frontend.language.spec import DEFAULT_OPTIONS, Block, CallStep, OpStep, Spec, WeightOptions
from archspec.frontend.language.steps import SHORTHAND, usage
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of


def bind_inputs(step: CallStep, block: Block, values: Values, notes: Callable[[], Sequence[Note]]) -> Values:
    """The values of a call in the order in which the block names its inputs; as they are if it names none.

    A call with `until` need not pass all of them: the layers up to there may not read them.

    Args:
        step: the call.
        block: the block that is called.
        values: the inputs of the call, in its order; None if an earlier error makes them unknown.
        notes: describes these values.

    Raises:
        ArchspecError: an input is missing or unknown, or there are too many.
    """
    given = [key.text for key in step.input_names]
    if misplaced := [name for name in step.arguments if name in block.inputs and name not in block.arguments]:
        raise ArchspecError(_unknown(step, block, name) for name in misplaced)
    if not block.inputs:
        if given:
            help = f"write from: {_listed(step)}, or name them in the block: inputs: [{', '.join(given)}]"
            raise fail("unknown-argument", f"'{block.name}' names no inputs", step.input_names[0].span, help=help)
        return values
    if unknown := [key for key in step.input_names if key.text not in block.inputs]:
        raise ArchspecError(
            Diagnostic(
                "unknown-argument",
                f"'{block.name}' has no input '{key.text}'",
                key.span,
                help=did_you_mean(key.text, block.inputs) or _usage_of_inputs(block),
            )
            for key in unknown
        )
    missing = [f"'{name}'" for name in block.inputs if given and name not in given]
    if missing and step.until is None:
        message = f"'{block.name}' needs {' and '.join(missing)}"
        raise fail("missing-argument", message, step.span, help=_usage_of_inputs(block))
    if values is None:
        return None
    names = given or list(passed_inputs(step, block, values))
    if len(values) != len(names):
        named = f", {' and '.join(names)}," if len(names) > 1 else ""
        message = f"'{block.name}' takes {_count(len(names))}{named} but gets {len(values)}"
        raise fail("wrong-arity", message, step.span, notes=notes(), help=_usage_of_inputs(block))
    by_name = dict(zip(names, values, strict=True))
    return tuple(by_name[name] for name in block.inputs if name in by_name)


def passed_inputs(step: CallStep, block: Block, values: Values) -> tuple[str, ...]:
    """The inputs of a block that a call passes, in the order of the block: by name, or else the first ones."""
    given = {key.text for key in step.input_names}
    if step.until is None or values is None:
        return tuple(block.inputs)
    return tuple(name for i, name in enumerate(block.inputs) if (name in given if given else i < len(values)))


def _count(inputs: int) -> str:
    return f"{inputs} input{'' if inputs == 1 else 's'}"


def _listed(step: CallStep) -> str:
    return f"[{', '.join(source.scalar.text for source in step.sources or ())}]"


def _usage_of_inputs(block: Block) -> str:
    listed = ", ".join(f"{name}: ..." for name in block.inputs)
    return f"write from: {{{listed}}}, or list the values in this order"


def bind_arguments(
    step: CallStep,
    block: Block,
    environment: dict[str, Any],
    shared: Mapping[str, Data],
    evaluate: Evaluate,
    evaluate_default: Evaluate,
) -> dict[str, Data]:
    """The values of a block's arguments: those of the call, and the defaults of the others.

    Args:
        step: the call.
        block: the block that is called.
        environment: the names that the block's expressions can use. Each argument is added as soon as it is bound,
            since a default may refer to the arguments before it.
        shared: the arguments of the call of this block whose weights are shared, instead of defaults.
        evaluate: evaluates a field of the call.
        evaluate_default: evaluates a default, in `environment`.

    Raises:
        ArchspecError: an argument is missing or unknown.
    """
    fields = _fields_by_name(step, block, shared)
    values: dict[str, Data] = {}
    for name, default in block.arguments.items():
        if name in fields:
            values[name] = environment[name] = evaluate(fields[name])
        elif name in shared:
            values[name] = environment[name] = shared[name]
        elif default is not None:
            values[name] = environment[name] = evaluate_default(default)
    return values


def bind_params(
    step: CallStep, block: Block, spec: Spec, shared: Mapping[str, Data], evaluate: Evaluate
) -> dict[str, Any]:
    """The values of a network's params, for a call of it: those of the call, and the defaults of the others.

    Args:
        step: the call.
        block: the variant that is called.
        spec: the spec of the network.
        shared: the params of the call of this network whose weights are shared, instead of defaults.
        evaluate: evaluates a field of the call.

    Raises:
        ArchspecError: there is no such param, or a default cannot be evaluated.
        Invalid: an earlier error makes one unknown.
    """
    given = {**shared, **{name: evaluate(field) for name, field in _fields_by_name(step, block, shared).items()}}
    chosen = {name: field for name, field in block.arguments.items() if field is not None}
    errors: list[Diagnostic] = []
    values = param_values(spec.params, chosen, given, errors)
    if errors:
        raise ArchspecError(errors)
    if INVALID in values.values():
        raise Invalid
    return values


def _fields_by_name(step: CallStep, block: Block, shared: Container[str]) -> dict[str, Field]:
    """The field that the call gives for each argument.

    Raises:
        ArchspecError: an argument is missing or unknown.
    """
    fields = {name: argument.value for name, argument in step.arguments.items()}
    required = [name for name, default in block.arguments.items() if default is None]
    if SHORTHAND in fields:
        if len(required) != 1 and len(block.arguments) != 1:
            takes = "named arguments" if block.arguments else "no arguments"
            message = f"'{block.name}' takes {takes}, not a value"
            raise fail("wrong-arguments", message, fields[SHORTHAND].span, help=_usage(block))
        fields[(required or list(block.arguments))[0]] = fields.pop(SHORTHAND)
    unknown = [name for name in fields if name not in block.arguments]
    if unknown:
        raise ArchspecError(_unknown(step, block, name) for name in unknown)
    missing = [f"'{name}'" for name in required if name not in fields and name not in shared]
    if missing:
        message = f"'{block.name}' needs {' and '.join(missing)}"
        raise fail("missing-argument", message, step.span, help=_usage(block))
    return fields


def _unknown(step: CallStep, block: Block, name: str) -> Diagnostic:
    help = call_help(name, block.arguments)
    help = help or (None if block.arguments else f"'{block.name}' takes no arguments")
    if name in block.inputs:
        help = f"'{name}' is an input: {_usage_of_inputs(block)}"
    message = f"'{block.name}' has no argument '{name}'"
    return Diagnostic("unknown-argument", message, step.arguments[name].key, help=help)


def _usage(block: Block) -> str:
    usage = ", ".join(f"{name}: ..." for name in block.arguments)
    return f"write - {block.name}: {{{usage}}}" if usage else f"write - {block.name}"


def as_op_step(step: CallStep, op: type[Op]) -> OpStep:
    """The step for a call whose computed name is that of an op.

    Raises:
        ArchspecError: an attribute is unknown, a value is given to an op that takes only named attributes, or inputs
            are given by name.
    """
    if step.input_names:
        message, help = f"'{op.kind}' does not name its inputs", f"write from: {_listed(step)}"
        raise fail("unknown-argument", message, step.input_names[0].span, help=help)
    if step.until is not None:
        message = f"'{op.kind}' is an op, which has no layers to end with"
        raise fail("unknown-key", message, step.until.span, help="remove 'until'")
    attributes = {name: argument.value for name, argument in step.arguments.items()}
    if SHORTHAND in attributes:
        shorthand = "number" if op.shorthand == "from" and "number" in attributes_of(op) else op.shorthand
        if shorthand is None or shorthand == "from":
            message = f"'{op.kind}' takes named attributes, not a value"
            raise fail("wrong-type", message, attributes[SHORTHAND].span, help=usage(op))
        attributes[shorthand] = attributes.pop(SHORTHAND)
    known = attributes_of(op)
    if unknown := [name for name in attributes if name not in known]:
        raise ArchspecError(
            Diagnostic(
                "unknown-key",
                f"'{op.kind}' has no key '{name}'",
                step.arguments[name].key,
                help=did_you_mean(name, known),
            )
            for name in unknown
        )
    options = WeightOptions(share=step.share) if step.share else DEFAULT_OPTIONS
    return OpStep(
        step.span, step.name, step.sources, step.when, step.trainable, op=op, attributes=attributes,
        weight_options=options,
    )  # fmt: skip
