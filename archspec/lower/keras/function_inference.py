"""The functions of the source: equal subgraphs share one, and what differs between them becomes its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from keyword import iskeyword

from archspec.ir.graph import Value
from archspec.lower.keras.partition import LayerStep, Subgraph
from archspec.lower.text.anti_unify import Parameters
from archspec.lower.text.code_model import Argument, Call
from archspec.lower.text.formatter import one_line
from archspec.lower.text.names import ReservedNames
from archspec.lower.text.numbered_runs import unnumbered


@dataclass(eq=False, slots=True)
class Function:
    """A function of the source.

    Attributes:
        name: its name.
        instances: the subgraphs that it stands for.
        steps: its body, with holes where the instances differ.
        parameters: its parameters and their arguments for each instance.
    """

    name: str
    instances: list[Subgraph]
    steps: list[LayerStep]
    parameters: Parameters

    @property
    def subgraph(self) -> Subgraph:
        """The first instance."""
        return self.instances[0]


class FunctionInference:
    """Finds the functions of a network.

    Attributes:
        functions: the functions, each after those that it calls.
    """

    def __init__(self, root: Subgraph, reserved: ReservedNames) -> None:
        """Find the functions of a network.

        Args:
            root: the network.
            reserved: names that no function and no parameter can have.
        """
        self.reserved = reserved
        signatures: dict[Subgraph, int] = {}
        numbers: dict[str, int] = {}
        groups: dict[int, list[Subgraph]] = {}
        for subgraph in root.subgraphs():
            form = _form(subgraph, signatures)
            signatures[subgraph] = numbers.setdefault(form, len(numbers))
            is_candidate = subgraph.can_be_function and subgraph is not root
            returns_all = len(subgraph.outputs) == max(1, len(subgraph.scope.output_names))
            if is_candidate and returns_all and _step_count(subgraph) > 1:
                groups.setdefault(signatures[subgraph], []).append(subgraph)
        self.function_of: dict[Subgraph, tuple[Function, int]] = {}
        self.functions: list[Function] = []
        for group in groups.values():
            if len(group) > 1:
                self.define(group)

    def define(self, group: list[Subgraph]) -> None:
        """Define the function of equal subgraphs; the functions that they call are defined already."""
        parameters = Parameters([subgraph.scope.arguments for subgraph in group], self.reserved)
        instances = [self.steps(subgraph) for subgraph in group]
        steps: list[LayerStep] = []
        for number, step in enumerate(instances[0]):
            local = step.name.removeprefix(group[0].name).strip("_-")
            columns = zip(*(self.calls(instance[number]) for instance in instances), strict=True)
            calls = tuple(_generalized(parameters, column, local) for column in columns)
            steps.append(replace(step, calls=calls))
        function = Function(self.new_name(group[0]), group, steps, parameters)
        self.functions.append(function)
        self.function_of.update((subgraph, (function, i)) for i, subgraph in enumerate(group))

    def steps(self, subgraph: Subgraph) -> list[LayerStep]:
        """The steps of a subgraph; subgraphs inside it that are not functions are dissolved."""
        steps: list[LayerStep] = []
        for step in subgraph.steps:
            if step.subgraph is None or step.subgraph in self.function_of:
                steps.append(step)
            else:
                steps += self.steps(step.subgraph)
        return steps

    def calls(self, step: LayerStep) -> tuple[Call, ...]:
        """The calls of a step, or the call of the function that it stands for."""
        if step.subgraph is None:
            return step.calls
        function, instance = self.function_of[step.subgraph]
        return (function.parameters.call(function.name, instance),)

    def new_name(self, subgraph: Subgraph) -> str:
        """A free name for a function, from the block or the scope without its number."""
        label = subgraph.scope.block or unnumbered(subgraph.scope.local_name)
        base = label.lower() if label[:1].isalpha() else f"part_{label.lower()}"
        base = f"{base}_block" if iskeyword(base) else base
        candidates = chain([base], (f"{base}_{i}" for i in count(2)))
        name = next(name for name in candidates if name not in self.reserved)
        self.reserved = self.reserved.with_names([name])
        return name


def _generalized(parameters: Parameters, column: Sequence[Call], local: str) -> Call:
    """One call for the calls of all instances, with a parameter wherever they differ."""
    arguments: dict[str, Argument] = {}
    for name in column[0].arguments:
        role = column[0].roles.get(name, name)
        arguments[name] = parameters.generalize([call.arguments[name] for call in column], (local, name), role)
    return replace(column[0], arguments=arguments)


def _step_count(subgraph: Subgraph) -> int:
    """The number of layers and functions in a subgraph, at any depth."""
    return sum(1 if step.subgraph is None else _step_count(step.subgraph) for step in subgraph.steps)


def _argument_forms(call: Call) -> list[tuple[str, str]]:
    """The arguments of a call, each with the callee if it is a call itself; lists of numbers with their values."""
    calls = {name: value for name, value in call.arguments.items() if isinstance(value, Call)}
    forms = {name: one_line(value) if value.callee == "Listed" else value.callee for name, value in calls.items()}
    return [(name, forms.get(name, "")) for name in call.arguments]


def _form(subgraph: Subgraph, signatures: Mapping[Subgraph, int]) -> str:
    """What a subgraph computes in terms of its own values: equal for subgraphs that differ only in constants.

    A subgraph inside it stands there as its signature, the number of its own form.
    """
    numbers: dict[Value, int] = {value: i for i, value in enumerate(subgraph.inputs)}
    steps: list[object] = []
    for step in subgraph.steps:
        content: object = [(call.callee, call.template, _argument_forms(call)) for call in step.calls]
        if step.subgraph is not None:
            content = signatures[step.subgraph]
        read = [numbers[value] for value in step.inputs]
        steps.append((step.name.removeprefix(subgraph.name), content, read, len(step.outputs)))
        for value in step.outputs:
            numbers[value] = len(numbers)
    return repr((len(subgraph.inputs), steps, [numbers[value] for value in subgraph.outputs]))
