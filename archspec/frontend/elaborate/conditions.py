"""Conditions: whether the `when` of a step is true."""

from __future__ import annotations

from archspec.diagnostics import fail
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.symbols import Values
from archspec.frontend.expressions.values import show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Step


def when_is_true(step: Step, context: BuildContext, values: Values) -> bool:
    """Whether a step is built: it has no `when`, or its `when` is true.

    Raises:
        ArchspecError: the expression fails, or its value is not true or false.
        Invalid: it depends on something an earlier error makes unknown.
    """
    return step.when is None or evaluate_condition(step.when, context, values)


def is_trainable(step: Step, context: BuildContext, values: Values) -> bool:
    """Whether the weights of a step are trained: it has no `trainable`, or its `trainable` is true.

    Raises:
        ArchspecError: the expression fails, or its value is not true or false.
        Invalid: it depends on something an earlier error makes unknown.
    """
    if step.trainable is None:
        return True
    value = context.evaluate(step.trainable, values)
    if not isinstance(value, bool):
        message = f"'trainable' is true or false, not {show(value)}"
        raise fail("wrong-value", message, step.trainable.span, help="write trainable: false, or a comparison")
    return value


def evaluate_condition(condition: Field, context: BuildContext, values: Values) -> bool:
    """The truth value of a condition; it raises as `when_is_true` does."""
    value = context.evaluate(condition, values)
    if not isinstance(value, bool):
        message = f"a condition is true or false, not {show(value)}"
        raise fail("wrong-value", message, condition.span, help="use a comparison")
    return value
