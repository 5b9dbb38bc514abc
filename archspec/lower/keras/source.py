"""The source text of a network in Keras: a function that builds a functional model, and one per repeated block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, count

from archspec.ir.graph import Graph, Value
from archspec.lower.keras.defaults import LayerDefaults, class_name
from archspec.lower.keras.function_inference import Function, FunctionInference
from archspec.lower.keras.partition import LayerStep, ModelPlan, Subgraph, plan
from archspec.lower.text.code_model import Call, ParameterExpr
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
from archspec.lower.text.names import ReservedNames, names_in, names_in_definitions, names_read
from archspec.lower.text.numbered_runs import unnumbered


def source(graph: Graph, about: About) -> str:
    """The source text of a graph: its functions, the network's last, and a main that prints the output's shape.

    Raises:
        ArchspecError: Keras cannot express an op of the graph.
    """
    model_plan = plan(graph)
    reserved = _reserved(model_plan)
    name = _function_name(graph, reserved)
    inference = FunctionInference(model_plan.root, reserved.with_names([name]))
    steps = [*inference.steps(model_plan.root), *(step for each in inference.functions for step in each.steps)]
    defaults = LayerDefaults.of(
        call for step in steps if step.subgraph is None and step.owner is None for call in step.calls
    )
    body = [*table_lines(model_plan.tables)]
    helpers = [line for text in model_plan.helpers.values() for line in ("", "", *text.strip("\n").split("\n"))]
    partials = ["", *lines] if (lines := [*defaults.lines()]) else []
    uses_helpers = not names_in("\n".join(partials)).isdisjoint(model_plan.helpers)
    body += [*helpers, "", *partials] if uses_helpers else [*partials, *helpers]
    for function in inference.functions:
        body += ["", "", *_function(function, inference, defaults)]
    body += ["", "", *_network(name, graph, model_plan, inference, defaults, about), "", "", *_main(name)]
    return "\n".join([title(graph.name, "Keras", about), "", *_imports("\n".join(body)), *body, ""])


def _imports(text: str) -> Iterator[str]:
    """The import statements that a source text needs."""
    names = names_in(text)
    standard = ["import math"] if "math" in names else []
    standard += ["from functools import partial"] if "partial" in names else []
    yield from [*standard, ""] if standard else []
    yield "import keras"
    imported = [name for name in ("KerasTensor", "initializers", "layers", "ops") if name in names]
    yield from [f"from keras import {', '.join(imported)}"] if imported else []


_READ = (
    "keras", "layers", "ops", "initializers", "math", "partial", "KerasTensor", "name", "inputs", "model", "print",
    "super",
)  # fmt: skip
"""Names that the text reads or defines apart from the calls of rules."""

_VARIABLE = re.compile(r"[xyz]|x\d+")
"""The names of variables that hold values."""


def _reserved(model_plan: ModelPlan) -> ReservedNames:
    """The names that the text reads or defines itself, but for its functions."""
    names = {*_READ, *model_plan.tables}
    for text in model_plan.helpers.values():
        names |= names_in_definitions(text)
    for subgraph in model_plan.root.subgraphs():
        for call in (call for step in subgraph.steps for call in step.calls):
            names.update((*names_read(call), class_name(call.callee)))
    return ReservedNames(frozenset(names), _VARIABLE)


def _function_name(graph: Graph, reserved: ReservedNames) -> str:
    """The name of the function that builds the network."""
    name = re.sub(r"\W+", "_", graph.name.lower(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() and name not in reserved else f"network_{name}"


def model_name(graph: Graph) -> str:
    """The name of the Keras model, which may have no dots."""
    return re.sub(r"[^A-Za-z0-9_]", "_", graph.name)


def _network(
    name: str,
    graph: Graph,
    model_plan: ModelPlan,
    inference: FunctionInference,
    defaults: LayerDefaults,
    about: About,
) -> Iterator[str]:
    yield f"def {name}() -> keras.Model:"
    yield from quoted(about.lines(graph.name), INDENT)
    inputs = _input_names(graph.inputs, inference.reserved)
    for value, variable in zip(graph.inputs, inputs, strict=True):
        dtype = {} if value.type.dtype == "float32" else {"dtype": str(value.type.dtype)}
        call = Call("keras.Input", {"shape": value.type.sizes, **dtype, "name": value.name}, 1)
        yield from assignment(variable, call, INDENT)
    steps = inference.steps(model_plan.root)
    names = dict(zip(graph.inputs, inputs, strict=True))
    body = _Body(steps, model_plan.outputs, names, defaults, inference.reserved.with_names(inputs), inputs)
    yield from body.lines(inference, None)
    outputs = [body.names[value] for value in model_plan.outputs]
    model = f"keras.Model({_one_or_list(inputs)}, {_one_or_list(outputs)}, name={literal(model_name(graph))})"
    if not model_plan.frozen:
        yield from wrapped(f"{INDENT}return {model}")
        return
    yield from wrapped(f"{INDENT}model = {model}")
    for layer, variable in model_plan.frozen:
        yield f"{INDENT}model.get_layer({literal(layer)}).{variable}.trainable = False"
    yield f"{INDENT}return model"


def _one_or_list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _input_names(values: Sequence[Value], reserved: ReservedNames) -> list[str]:
    if len(values) == 1:
        return ["inputs"]
    names = [value.name for value in values]
    usable = not any(name in reserved for name in names)
    return names if usable else [f"input{i}" for i in range(1, len(names) + 1)]


def _function(function: Function, inference: FunctionInference, defaults: LayerDefaults) -> Iterator[str]:
    subgraph = function.subgraph
    parameters = function.parameters.ordered
    reserved = inference.reserved.with_names(parameter.name for parameter in parameters)
    named = () if any(name in reserved for name in subgraph.input_names) else subgraph.input_names
    inputs = named or [name for name, _ in zip(_variables(), subgraph.inputs, strict=False)]
    declared = [parameter.declaration for parameter in parameters]
    arguments = [*(f"{name}: KerasTensor" for name in inputs), *declared, "*", "name: str"]
    results = ", ".join("KerasTensor" for _ in subgraph.outputs)
    yield from signature_lines(function.name, arguments, f"tuple[{results}]" if len(subgraph.outputs) > 1 else results)
    block, times = subgraph.scope.block, len(function.instances)
    about = f"The block `{block}` of the spec" if block else f"The part `{unnumbered(subgraph.scope.local_name)}`"
    yield f'{INDENT}"""{docstring(f"{about}, used {times} times.", INDENT)}"""'
    names = dict(zip(subgraph.inputs, inputs, strict=True))
    body = _Body(function.steps, subgraph.outputs, names, defaults, inference.reserved.with_names(named), named)
    yield from body.lines(inference, subgraph)
    if not body.returns_last_step(subgraph):
        yield f"{INDENT}return {', '.join(body.names[value] for value in subgraph.outputs)}"


def _variables() -> Iterator[str]:
    return chain("xyz", (f"x{i}" for i in count(2)))


class _Body:
    """The lines of one function.

    Attributes:
        names: the variable of each value.
        holds: the value that each variable holds at the current step.
        layers: the variable of each layer that is called more than once.
        fixed: variables that are never reassigned.
        last_read: the number of the last step that reads a value.
    """

    def __init__(
        self,
        steps: Sequence[LayerStep],
        outputs: Sequence[Value],
        names: dict[Value, str],
        defaults: LayerDefaults,
        reserved: ReservedNames,
        fixed: Sequence[str] = (),
    ) -> None:
        self.steps = steps
        self.defaults = defaults
        self.names = names
        self.fixed = fixed
        self.layers: dict[str, str] = {}
        for step in steps:
            if step.is_shared:
                base = f"layer_{step.name.replace('-', '_')}"
                candidates = chain([base], (f"{base}_{i}" for i in count(2)))
                variable = next(name for name in candidates if name not in reserved)
                reserved = reserved.with_names([variable])
                self.layers[step.name] = variable
        self.holds = {name: value for value, name in names.items()}
        self.last_read = {value: i for i, step in enumerate(steps) for value in step.inputs}
        self.last_read.update(dict.fromkeys(outputs, len(steps)))

    def returns_last_step(self, subgraph: Subgraph) -> bool:
        """Whether the last step computes the outputs of the function."""
        return self.steps[-1].outputs == subgraph.outputs

    def lines(self, inference: FunctionInference, subgraph: Subgraph | None) -> Iterator[str]:
        """The lines of the body.

        Args:
            inference: the functions of the source.
            subgraph: the subgraph of a function that returns its last step and prefixes the names of layers with its
                parameter `name`; None for the network.
        """
        for number, step in enumerate(self.steps):
            read = [self.names[value] for value in step.inputs]
            targets = [self.assign(number, value) for value in step.outputs]
            shape = ", ".join(str(value.type) for value in step.outputs)
            calls = step.calls if subgraph is not None or step.subgraph is None else inference.calls(step)
            for i, call in enumerate(calls):
                is_last = i == len(calls) - 1
                returns = (
                    subgraph is not None
                    and is_last
                    and number == len(self.steps) - 1
                    and self.returns_last_step(subgraph)
                )
                head = "return " if returns else f"{', '.join(targets)} = "
                comment = f"  # {shape}" if subgraph is None and is_last else ""
                yield from _commented(self.call(step, call, head, read, subgraph), comment)
                read = targets

    def call(self, step: LayerStep, call: Call, head: str, read: Sequence[str], subgraph: Subgraph | None) -> list[str]:
        """The lines of one call; `head` is `x = ` or `return `."""
        if call.template is not None:
            return wrapped(f"{INDENT}{head}{_filled(call, read)}")
        inputs = _one_or_list(read) if step.inputs_template is None else step.inputs_template.format(*read)
        if step.owner is not None:
            return wrapped(f"{INDENT}{head}{self.layers[step.owner]}({inputs})")
        name = literal(step.name) if subgraph is None else f'f"{{name}}{step.name.removeprefix(subgraph.name)}"'
        if step.subgraph is not None:
            values = {str(i): ParameterExpr(variable) for i, variable in enumerate(read)}
            arguments = {**values, **call.arguments, "name": ParameterExpr(name)}
            function_call = replace(call, arguments=arguments, positional=len(read) + call.positional)
            return between(head, function_call, "", INDENT)
        layer = self.defaults.apply(replace(call, arguments={**call.arguments, "name": ParameterExpr(name)}))
        if step.is_shared:
            variable = self.layers[step.name]
            return [*assignment(variable, layer, INDENT), *wrapped(f"{INDENT}{head}{variable}({inputs})")]
        line = f"{INDENT}{head}{one_line(layer)}"
        return _called_in_lines(line, inputs) or between(head, layer, f"({inputs})", INDENT)

    def assign(self, number: int, value: Value) -> str:
        """The variable for an output of a step: that of its first input if no later step reads it, else a free one."""
        step = self.steps[number]
        if value not in self.last_read:
            return "_"
        reusable = [self.names[read] for read in step.inputs[:1]] if len(step.outputs) == 1 else []
        candidates = chain(reusable, _variables())
        name = next(name for name in candidates if name not in self.fixed and self.is_free(name, number))
        self.names[value] = name
        self.holds[name] = value
        return name

    def is_free(self, name: str, number: int) -> bool:
        """Whether a variable holds no value that is read after a step."""
        return name not in self.holds or self.last_read.get(self.holds[name], -1) <= number


def _called_in_lines(line: str, inputs: str) -> list[str]:
    """The call of a layer whose construction fits on a line, but not together with its inputs; otherwise nothing."""
    applies = len(f"{line}({inputs})") > WIDTH >= len(f"{line}(")
    return [f"{line}(", f"{INDENT * 2}{inputs}", f"{INDENT})"] if applies else []


def _commented(lines: list[str], comment: str) -> list[str]:
    fits = len(lines) == 1 and len(lines[0] + comment) <= WIDTH
    return [lines[0] + comment] if fits else lines


def _filled(call: Call, read: Sequence[str]) -> str:
    """A template with its inputs and arguments filled in."""
    arguments = {name: one_line(value) for name, value in call.arguments.items()}
    inputs = {"x": read[0], "all": ", ".join(read), **{f"x{i}": name for i, name in enumerate(read)}}
    return (call.template or "").format_map({**inputs, **arguments})


def _main(name: str) -> Iterator[str]:
    yield 'if __name__ == "__main__":'
    yield f"{INDENT}print({name}().output_shape)"
