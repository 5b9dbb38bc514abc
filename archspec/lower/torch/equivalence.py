"""Decides which modules can share a class: those with the steps of a model module, some of which may be missing."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Value
from archspec.lower.text.code_model import Call
from archspec.lower.torch.module_plan import ForwardStep, ModulePlan
from archspec.ops.merge import Add

Matches = tuple[ForwardStep | None, ...]
"""The module's step for each step of the model; None if the module lacks it and passes its input through."""

_IDENTITY_ARGUMENTS = {
    "F.dropout": {"p": 0.0},
    "F.dropout1d": {"p": 0.0},
    "F.dropout2d": {"p": 0.0},
    "F.dropout3d": {"p": 0.0},
}
"""Functions that can be the identity, with the arguments for it."""


def matched(model: ModulePlan, module: ModulePlan) -> Matches | None:
    """The module's steps that match those of the model, up to constants; None if they do not match.

    A module may lack children of the model, dropout, and sums with a shortcut.
    """
    if model.container != module.container or model.dissolved != module.dissolved:
        return None
    if len(model.inputs) != len(module.inputs):
        return None
    if not module.children.keys() <= model.children.keys():
        return None
    if module.sequential and len(module.children) < len(model.children):
        return None
    counterparts = dict(zip(model.inputs, module.inputs, strict=True))
    matches: list[ForwardStep | None] = []
    remaining = list(reversed(module.steps))
    for step in model.steps:
        inputs = tuple(counterparts[value] for value in step.inputs)
        if remaining and remaining[-1].inputs == inputs and _called(step, model) == _called(remaining[-1], module):
            other = remaining.pop()
            counterparts.update(zip(step.outputs, other.outputs, strict=True))
            matches.append(other)
        elif (value := passed_through(step, model)) is not None and (step.attribute not in module.children):
            counterparts[step.outputs[0]] = counterparts[value]
            matches.append(None)
        else:
            return None
    same_outputs = [counterparts[value] for value in model.outputs] == [*module.outputs]
    return tuple(matches) if same_outputs and not remaining else None


def passed_through(step: ForwardStep, module: ModulePlan) -> Value | None:
    """The value that replaces a step's output if the step is omitted; None if it cannot be omitted."""
    if len(step.outputs) != 1 or step.items:
        return None
    if step.attribute is not None or (step.function is not None and step.function.callee in _IDENTITY_ARGUMENTS):
        return step.inputs[0] if len(step.inputs) == 1 else None
    if not needs_condition(step):
        return None
    produced = [value for other in module.steps for value in other.outputs]
    return max(step.inputs, key=lambda value: produced.index(value) if value in produced else -1)


def needs_condition(step: ForwardStep) -> bool:
    """Whether omitting a step needs a condition in `forward`: a sum of two values, which no argument turns off."""
    return step.node is not None and isinstance(step.node.op, Add) and len(step.inputs) == 2


def function(step: ForwardStep, match: ForwardStep | None) -> Call:
    """The function of a matching step; without a match, that of the model as the identity."""
    call = step.function if match is None else match.function
    assert call is not None
    return call if match else replace(call, arguments={**call.arguments, **_IDENTITY_ARGUMENTS.get(call.callee, {})})


def _called(step: ForwardStep, module: ModulePlan) -> object:
    """What a step computes, without its constants."""
    called: object = (step.attribute, step.arguments)
    if step.function is not None:
        called = step.function.callee, step.function.template
    parameter = module.children.get(step.parameter[0]) if len(step.parameter) == 1 else None
    template = parameter.template if isinstance(parameter, Call) else None
    path = (*([step.attribute] if step.attribute else []), *step.items) or step.parameter
    return called, [*module.containers(path)], step.part, template, len(step.outputs), step.training_only
