"""Which functions the source has: parts that do the same share one, whose parameters are what differs between them."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archspec.ir.graph import Value
from archspec.lower.keras.partition import Part, Step
from archspec.lower.text.anti_unify import Parameters
from archspec.lower.text.code_model import Argument, Call
from archspec.lower.text.formatter import one_line
from archspec.lower.text.numbered_runs import unnumbered

RESERVED = frozenset({"keras", "layers", "ops", "name", "i", "float", "inputs", "KerasTensor"})
"""What the source calls something itself, or reads."""

VARIABLES = ("x", "y", "z", *(f"x{i}" for i in range(2, 200)))
"""What values are called."""


@dataclass(eq=False, slots=True)
class Function:
    """A function of the source: its steps have holes where instances differ."""

    name: str
    instances: list[Part]
    steps: list[Step]
    parameters: Parameters

    @property
    def part(self) -> Part:
        """The first of the parts it stands for."""
        return self.instances[0]


class Functions:
    """The functions of a network, each after those it calls."""

    def __init__(self, root: Part, taken: Sequence[str]) -> None:
        self.taken = {*taken, *RESERVED}
        self.groups: dict[object, list[Part]] = {}
        self.signatures: dict[Part, object] = {}
        for part in root.parts():
            self.signatures[part] = _signature(part, self.signatures)
            if part.closed and part is not root and len(part.outputs) == 1 and _layers(part) > 1:
                self.groups.setdefault(self.signatures[part], []).append(part)
        self.home: dict[Part, tuple[Function, int]] = {}
        self.found: list[Function] = []
        for group in self.groups.values():
            if len(group) > 1:
                self.define(group)

    def define(self, group: list[Part]) -> None:
        """Make the function of parts that do the same, after those they call."""
        reserved = {*RESERVED, *VARIABLES}
        parameters = Parameters([part.region.arguments for part in group], (), reserved)
        instances = [self.steps(part) for part in group]
        steps: list[Step] = []
        for number, step in enumerate(instances[0]):
            local = step.name.removeprefix(group[0].name).strip("_-")
            columns = zip(*(self.calls(own[number]) for own in instances), strict=True)
            calls = tuple(_generalized(parameters, column, local) for column in columns)
            steps.append(replace(step, calls=calls))
        found = Function(self.name(group[0]), group, steps, parameters)
        self.found.append(found)
        self.home.update((part, (found, i)) for i, part in enumerate(group))

    def steps(self, part: Part) -> list[Step]:
        """The steps of a part, with those of the parts inside that are no functions."""
        found: list[Step] = []
        for step in part.steps:
            if step.part is None or step.part in self.home:
                found.append(step)
            else:
                found += self.steps(step.part)
        return found

    def calls(self, step: Step) -> tuple[Call, ...]:
        """What a step is written as: its calls, or that of the function it stands for."""
        if step.part is None:
            return step.calls
        function, instance = self.home[step.part]
        return (function.parameters.call(function.name, instance),)

    def name(self, part: Part) -> str:
        """A name nobody has, after the block or the part without its number."""
        label = part.region.block or unnumbered(part.region.local_name)
        base = label.lower() if label[:1].isalpha() else f"part_{label.lower()}"
        base = f"{base}_block" if keyword.iskeyword(base) else base
        candidates = (base, *(f"{base}_{i}" for i in range(2, len(self.taken) + 3)))
        name = next(name for name in candidates if name not in self.taken and name not in VARIABLES)
        self.taken.add(name)
        return name


def _generalized(parameters: Parameters, column: Sequence[Call], local: str) -> Call:
    """What calls of several instances have in common, a parameter wherever they differ."""
    found: dict[str, Argument] = {}
    for name in column[0].arguments:
        role = column[0].roles.get(name, name)
        found[name] = parameters.generalize([call.arguments[name] for call in column], (local, name), role)
    return replace(column[0], arguments=found)


def _layers(part: Part) -> int:
    """How many layers and functions a part calls, at any depth."""
    return sum(1 if step.part is None else _layers(step.part) for step in part.steps)


def _arguments(call: Call) -> list[tuple[str, str]]:
    """The arguments of a call, each with what is called to make it; listed numbers are as they are."""
    made = {name: value for name, value in call.arguments.items() if isinstance(value, Call)}
    callees = {name: one_line(value) if value.callee == "Listed" else value.callee for name, value in made.items()}
    return [(name, callees.get(name, "")) for name in call.arguments]


def _signature(part: Part, known: Mapping[Part, object]) -> object:
    """What a part does, in terms of its own values: equal for parts that differ in numbers alone."""
    numbers: dict[Value, int] = {value: i for i, value in enumerate(part.inputs)}
    steps: list[object] = []
    for step in part.steps:
        called: object = [(call.callee, call.template, _arguments(call)) for call in step.calls]
        if step.part is not None:
            called = known[step.part]
        read = [numbers[value] for value in step.inputs]
        steps.append((step.name.removeprefix(part.name), called, read, len(step.outputs)))
        for value in step.outputs:
            numbers[value] = len(numbers)
    return repr((len(part.inputs), steps, [numbers[value] for value in part.outputs]))
