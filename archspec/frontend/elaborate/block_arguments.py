"""Calls of blocks: the values of their arguments, and ops whose names are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, did_you_mean, fail
from archspec.frontend.expressions.values import Data
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import DEFAULT_OPTIONS, Block, CallStep, OpStep, WeightOptions
from archspec.frontend.language.steps import SHORTHAND, usage
from archspec.ops import Op
from archspec.ops.attribute_types import attributes_of

Evaluate = Callable[[Field], Data]


def arguments(
    step: CallStep, block: Block, scope: dict[str, Any], given: Evaluate, default: Evaluate
) -> dict[str, Data]:
    """The arguments of a call: those given, and the defaults of the others.

    Each comes into `scope`, what the block sees, as soon as it is known: a default may name the arguments before it.

    Raises:
        ArchspecError: one is missing, or one too many.
    """
    written = _by_name(step, block)
    values: dict[str, Data] = {}
    for name, otherwise in block.arguments.items():
        if name in written:
            values[name] = scope[name] = given(written[name])
        elif otherwise is not None:
            values[name] = scope[name] = default(otherwise)
    return values


def _by_name(step: CallStep, block: Block) -> dict[str, Field]:
    """What is written for each argument.

    Raises:
        ArchspecError: the block has no such argument, or needs another.
    """
    written = {name: found.value for name, found in step.arguments.items()}
    needed = [name for name, default in block.arguments.items() if default is None]
    if SHORTHAND in written:
        if len(needed) != 1 and len(block.arguments) != 1:
            how = "takes its arguments by name" if block.arguments else "takes no arguments"
            message = f"'{block.name}' {how}, and here stands a value"
            raise fail("wrong-arguments", message, written[SHORTHAND].span, help=_usage(block))
        written[(needed or list(block.arguments))[0]] = written.pop(SHORTHAND)
    unknown = [name for name in written if name not in block.arguments]
    if unknown:
        raise ArchspecError(_unknown(step, block, name) for name in unknown)
    missing = [f"'{name}'" for name in needed if name not in written]
    if missing:
        message = f"'{block.name}' needs {' and '.join(missing)}"
        raise fail("missing-argument", message, step.span, help=_usage(block))
    return written


def _unknown(step: CallStep, block: Block, name: str) -> Diagnostic:
    help = did_you_mean(name, block.arguments) if block.arguments else f"'{block.name}' takes none"
    message = f"'{block.name}' takes no argument '{name}'"
    return Diagnostic("unknown-argument", message, step.arguments[name].place, help=help)


def _usage(block: Block) -> str:
    usage = ", ".join(f"{name}: ..." for name in block.arguments)
    return f"write - {block.name}: {{{usage}}}" if usage else f"write - {block.name}"


def as_op(step: CallStep, op: type[Op]) -> OpStep:
    """A call whose computed name turned out to be an op's.

    Raises:
        ArchspecError: it is given one value, and the op has no attribute to take it.
    """
    attributes = {name: found.value for name, found in step.arguments.items()}
    if SHORTHAND in attributes:
        if op.shorthand is None or op.shorthand == "from":
            message = f"'{op.kind}' takes its attributes by name, and here stands a value"
            raise fail("wrong-type", message, attributes[SHORTHAND].span, help=usage(op))
        attributes[op.shorthand] = attributes.pop(SHORTHAND)
    known = attributes_of(op)
    if unknown := [name for name in attributes if name not in known]:
        raise ArchspecError(
            Diagnostic(
                "unknown-key",
                f"'{op.kind}' has no key '{name}'",
                step.arguments[name].place,
                help=did_you_mean(name, known),
            )
            for name in unknown
        )
    weight_options = WeightOptions(share=step.share) if step.share else DEFAULT_OPTIONS
    return OpStep(
        step.span, step.name, step.sources, step.when, op=op, attributes=attributes, weight_options=weight_options
    )
