"""The source text of a network in Keras: a function that makes a functional model, and one a block used again."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.ir.graph import Graph, Value
from archspec.lower.keras.defaults import Shared
from archspec.lower.keras.function_inference import VARIABLES, Function, Functions
from archspec.lower.keras.partition import Part, Plan, Step, plan
from archspec.lower.text.code_model import Call, Hole
from archspec.lower.text.constants import table_lines
from archspec.lower.text.formatter import (
    INDENT,
    WIDTH,
    assignment,
    between,
    literal,
    one_line,
    signature_lines,
    wrapped,
)
from archspec.lower.text.header import About, docstring, quoted, title
from archspec.lower.text.numbered_runs import unnumbered


def source(graph: Graph, about: About) -> str:
    """The source text: functions, the network's last, and a main that prints the output's shape.

    Raises:
        ArchspecError: Keras cannot express something the graph asks for.
    """
    planned = plan(graph)
    name = function_name(graph)
    functions = Functions(planned.root, [name, *planned.helpers])
    steps = [*functions.steps(planned.root), *(step for each in functions.found for step in each.steps)]
    shared = Shared.of(call for step in steps if step.part is None and step.owner is None for call in step.calls)
    body = [*table_lines(planned.tables)]
    if partials := [*shared.lines()]:
        body += ["", *partials]
    for helper in planned.helpers.values():
        body += ["", "", *helper.strip("\n").split("\n")]
    for function in functions.found:
        body += ["", "", *_function(function, functions, shared)]
    body += ["", "", *_network(name, graph, planned, functions, shared, about), "", "", *_main(name)]
    return "\n".join([title(graph.name, "Keras", about), "", *_imports("\n".join(body)), *body, ""])


def _imports(text: str) -> Iterator[str]:
    """The lines that import what the text names."""
    standard = ["import math"] if re.search(r"\bmath\.prod\(", text) else []
    standard += ["from functools import partial"] if "= partial(" in text else []
    yield from [*standard, ""] if standard else []
    yield "import keras"
    modules = [name for name in ("initializers", "layers", "ops") if re.search(rf"(?<![\w.]){name}\.\w", text)]
    names = [*["KerasTensor"] * ("KerasTensor" in text), *modules]
    yield from [f"from keras import {', '.join(names)}"] if names else []


def function_name(graph: Graph) -> str:
    """The name of the function that makes the network."""
    name = re.sub(r"\W+", "_", graph.name.lower(), flags=re.ASCII).strip("_")
    plain = name[:1].isalpha() and not keyword.iskeyword(name) and name not in _TAKEN
    return name if plain else f"network_{name}"


_TAKEN = ("keras", "layers", "ops", "model", "inputs", "print", "float", "name", *VARIABLES)


def model_name(graph: Graph) -> str:
    """What Keras calls the model, which has no dots in its name."""
    return re.sub(r"[^A-Za-z0-9_]", "_", graph.name)


def _network(
    name: str, graph: Graph, planned: Plan, functions: Functions, shared: Shared, about: About
) -> Iterator[str]:
    yield f"def {name}() -> keras.Model:"
    yield from quoted(about.lines(graph.name), INDENT)
    inputs = _input_names(graph.inputs)
    for value, variable in zip(graph.inputs, inputs, strict=True):
        dtype = {} if value.type.dtype == "float32" else {"dtype": str(value.type.dtype)}
        made = Call("keras.Input", {"shape": value.type.sizes, **dtype, "name": value.name}, 1)
        yield from assignment(variable, made, INDENT)
    steps = functions.steps(planned.root)
    held = dict(zip(graph.inputs, inputs, strict=True))
    body = _Body(steps, planned.outputs, held, shared, kept=inputs)
    yield from body.lines(functions, None)
    given = ", ".join(inputs) if len(inputs) == 1 else f"[{', '.join(inputs)}]"
    outputs = [body.names[value] for value in planned.outputs]
    returned = ", ".join(outputs) if len(outputs) == 1 else f"[{', '.join(outputs)}]"
    model = f"keras.Model({given}, {returned}, name={literal(model_name(graph))})"
    if not planned.frozen:
        yield from wrapped(f"{INDENT}return {model}")
        return
    yield from wrapped(f"{INDENT}model = {model}")
    for layer, variable in planned.frozen:
        yield f"{INDENT}model.get_layer({literal(layer)}).{variable}.trainable = False"
    yield f"{INDENT}return model"


def _input_names(values: Sequence[Value]) -> list[str]:
    if len(values) == 1:
        return ["inputs"]
    names = [value.name for value in values]
    usable = all(name.isidentifier() and not keyword.iskeyword(name) and name not in _TAKEN for name in names)
    return names if usable else [f"input{i}" for i in range(1, len(names) + 1)]


def _function(function: Function, functions: Functions, shared: Shared) -> Iterator[str]:
    part = function.part
    inputs = list(VARIABLES[: len(part.inputs)])
    parameters = [parameter.declaration for parameter in function.parameters.ordered]
    arguments = [*(f"{name}: KerasTensor" for name in inputs), *parameters, "*", "name: str"]
    yield from signature_lines(function.name, arguments, "KerasTensor")
    block, times = part.region.block, len(function.instances)
    about = f"The block `{block}` of the spec" if block else f"The part `{unnumbered(part.region.local_name)}`"
    yield f'{INDENT}"""{docstring(f"{about}, used {times} times.", INDENT)}"""'
    held = dict(zip(part.inputs, inputs, strict=True))
    body = _Body(function.steps, part.outputs, held, shared)
    yield from body.lines(functions, part)
    if not body.returns(part):
        yield f"{INDENT}return {body.names[part.outputs[0]]}"


class _Body:
    """The lines of one function, and what its values are called."""

    def __init__(
        self,
        steps: Sequence[Step],
        outputs: Sequence[Value],
        names: dict[Value, str],
        shared: Shared,
        kept: Sequence[str] = (),
    ) -> None:
        self.steps = steps
        self.shared = shared
        self.names = names
        self.kept = {*kept, *(_variable(step.name) for step in steps if step.shared)}
        """Variables that stay what they are."""
        self.held = {name: value for value, name in names.items()}
        self.last = {value: i for i, step in enumerate(steps) for value in step.inputs}
        self.last.update(dict.fromkeys(outputs, len(steps)))

    def returns(self, part: Part) -> bool:
        """Whether the last step makes what is returned."""
        return self.steps[-1].outputs == part.outputs

    def lines(self, functions: Functions, part: Part | None) -> Iterator[str]:
        """The lines of the body; `part` where its layers' names begin with an argument, and the last is returned."""
        for number, step in enumerate(self.steps):
            read = [self.names[value] for value in step.inputs]
            targets = [self.name(number, value) for value in step.outputs]
            shape = ", ".join(str(value.type) for value in step.outputs)
            calls = step.calls if part is not None or step.part is None else functions.calls(step)
            for i, call in enumerate(calls):
                last = i == len(calls) - 1
                ends = part is not None and last and number == len(self.steps) - 1 and self.returns(part)
                head = "return " if ends else f"{', '.join(targets)} = "
                comment = f"  # {shape}" if part is None and last else ""
                yield from _commented(self.call(step, call, head, read, part), comment)
                read = targets

    def call(self, step: Step, call: Call, head: str, read: Sequence[str], part: Part | None) -> list[str]:
        """The lines of one call, after `x = ` or `return `."""
        if call.template is not None:
            return wrapped(f"{INDENT}{head}{_filled(call, read)}")
        given = read[0] if len(read) == 1 else f"[{', '.join(read)}]"
        if step.given is not None:
            given = step.given.format(*read)
        if step.owner is not None:
            return wrapped(f"{INDENT}{head}{_variable(step.owner)}({given})")
        own = literal(step.name) if part is None else f'f"{{name}}{step.name.removeprefix(part.name)}"'
        if step.part is not None:
            inputs = {f"input{i}": Hole(name) for i, name in enumerate(read)}
            arguments = {**inputs, **call.arguments, "name": Hole(own)}
            made = replace(call, arguments=arguments, positional=len(read) + call.positional)
            return between(head, made, "", INDENT)
        made = self.shared.applied(replace(call, arguments={**call.arguments, "name": Hole(own)}))
        if step.shared:
            variable = _variable(step.name)
            return [*assignment(variable, made, INDENT), *wrapped(f"{INDENT}{head}{variable}({given})")]
        return _applied(f"{INDENT}{head}{one_line(made)}", given) or between(head, made, f"({given})", INDENT)

    def name(self, number: int, value: Value) -> str:
        """The variable a value is put in: that of what it is made of, unless that is still needed."""
        step = self.steps[number]
        if value not in self.last:
            return "_"
        before = [self.names[read] for read in step.inputs[:1]] if len(step.outputs) == 1 else []
        name = next(name for name in (*before, *VARIABLES) if name not in self.kept and self.free(name, number))
        self.names[value] = name
        self.held[name] = value
        return name

    def free(self, name: str, number: int) -> bool:
        """Whether a variable holds nothing that is read after a step."""
        return name not in self.held or self.last.get(self.held[name], -1) <= number


def _variable(layer: str) -> str:
    """The variable that holds a layer which is called more than once."""
    return f"layer_{layer.replace('-', '_')}"


def _applied(line: str, given: str) -> list[str]:
    """A layer called where its construction fits on the line, and what it is called with does not."""
    fits = len(f"{line}({given})") > WIDTH >= len(f"{line}(")
    return [f"{line}(", f"{INDENT * 2}{given}", f"{INDENT})"] if fits else []


def _commented(lines: list[str], comment: str) -> list[str]:
    fits = len(lines) == 1 and len(lines[0] + comment) <= WIDTH
    return [lines[0] + comment] if fits else lines


def _filled(call: Call, read: Sequence[str]) -> str:
    """A template with all it names in place."""
    arguments = {name: one_line(value) for name, value in call.arguments.items()}
    return (call.template or "").format_map({"x": read[0], "all": ", ".join(read), **arguments})


def _main(name: str) -> Iterator[str]:
    yield 'if __name__ == "__main__":'
    yield f"{INDENT}print({name}().output_shape)"
