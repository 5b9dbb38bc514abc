"""Decides which modules can share a class: those with the steps of a model module, some of which may be missing."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Value
from archspec.lower.text.code_model import Call
from archspec.lower.torch.partition import ForwardStep, ModulePlan
from archspec.ops.merge import Add

Matches = tuple[ForwardStep | None, ...]
"""The module's step for each step of the model; None where it passes its input through."""

_IDLE = {"F.dropout": {"p": 0.0}, "F.dropout1d": {"p": 0.0}, "F.dropout2d": {"p": 0.0}, "F.dropout3d": {"p": 0.0}}
"""Functions that can be the identity, and the arguments that make them so."""


def matched(model: ModulePlan, module: ModulePlan) -> Matches | None:
    """The module's steps for those of the model, if they differ only in numbers; None if they do not match.

    A module may lack children of the model, dropout, and sums with a shortcut.
    """
    if model.sequential != module.sequential or len(model.inputs) != len(module.inputs):
        return None
    if not module.children.keys() <= model.children.keys():
        return None
    if module.sequential and len(module.children) < len(model.children):
        return None
    stands = dict(zip(model.inputs, module.inputs, strict=True))
    found: list[ForwardStep | None] = []
    ahead = list(reversed(module.steps))
    for step in model.steps:
        inputs = tuple(stands[value] for value in step.inputs)
        if ahead and ahead[-1].inputs == inputs and _called(step, model) == _called(ahead[-1], module):
            other = ahead.pop()
            stands.update(zip(step.outputs, other.outputs, strict=True))
            found.append(other)
        elif (value := handed_on(step, model)) is not None and (step.attribute not in module.children):
            stands[step.outputs[0]] = stands[value]
            found.append(None)
        else:
            return None
    same_end = [stands[value] for value in model.outputs] == [*module.outputs]
    return tuple(found) if same_end and not ahead else None


def handed_on(step: ForwardStep, module: ModulePlan) -> Value | None:
    """The value that replaces a step's output if the step is left out; None if it cannot be left out."""
    if len(step.outputs) != 1:
        return None
    if step.attribute is not None or (step.function is not None and step.function.callee in _IDLE):
        return step.inputs[0] if len(step.inputs) == 1 else None
    if not left_out_by_choice(step):
        return None
    made = [value for other in module.steps for value in other.outputs]
    return max(step.inputs, key=lambda value: made.index(value) if value in made else -1)


def left_out_by_choice(step: ForwardStep) -> bool:
    """Whether leaving a step out needs a condition in `forward`: a sum of two, which no argument turns off."""
    return step.node is not None and isinstance(step.node.op, Add) and len(step.inputs) == 2


def function(step: ForwardStep, match: ForwardStep | None) -> Call:
    """The module's function for that of a step of the model."""
    call = step.function if match is None else match.function
    assert call is not None
    return call if match else replace(call, arguments={**call.arguments, **_IDLE.get(call.callee, {})})


def _called(step: ForwardStep, module: ModulePlan) -> object:
    """What a step computes, without its numbers."""
    called: object = step.attribute if step.function is None else (step.function.callee, step.function.template)
    parameter = module.children.get(step.parameter or "")
    made = parameter.template if isinstance(parameter, Call) else None
    return called, step.items, step.part, step.parameter, made, len(step.outputs), step.training_only
