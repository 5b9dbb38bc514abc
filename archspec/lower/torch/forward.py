"""Writes the body of a `forward`: names variables and inlines calls into others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archspec.ir.graph import Value
from archspec.lower.text.code_model import Call
from archspec.lower.text.formatter import INDENT, WIDTH, items, literal, one_line, wrapped
from archspec.lower.text.names import ReservedNames
from archspec.lower.torch.equivalence import passed_through
from archspec.lower.torch.module_plan import ForwardStep, ModulePlan, is_attribute
from archspec.ops.activation import Activation
from archspec.ops.dropout import Dropout
from archspec.ops.merge import Add, Arithmetic, Concat, Mean
from archspec.ops.norm import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm
from archspec.ops.reshape import Flatten, Identity

_DEEPEST = 3
"""The maximum depth of nested calls on one line."""

_NORMS = (BatchNorm, FrozenBatchNorm, LayerNorm, RmsNorm, GroupNorm, InstanceNorm)

_LIGHT = (Activation, Dropout, *_NORMS, Arithmetic, Mean, Flatten, Identity)
"""Ops written around the call they follow: `F.relu(self.bn1(self.conv1(x)))`."""


@dataclass(frozen=True, slots=True)
class InlineExpression:
    """The text of an expression, and the depth of its nested calls."""

    text: str
    depth: int = 0
    operator: bool = False


class Forward:
    """The `forward` of one class."""

    def __init__(
        self,
        module: ModulePlan,
        functions: Mapping[int, Call],
        choices: Mapping[int, str],
        arguments: Sequence[str],
        reserved: ReservedNames,
    ) -> None:
        self.module = module
        self.reserved = reserved
        self.functions = functions
        self.choices = choices
        self.alternatives = {number: passed_through(module.steps[number], module) for number in choices}
        self.uses = Counter(value for step in module.steps for value in step.inputs)
        self.uses.update(module.outputs)
        self.uses.update(filter(None, self.alternatives.values()))
        self.last = {value: i for i, step in enumerate(module.steps) for value in step.inputs}
        self.last.update(dict.fromkeys(module.outputs, len(module.steps)))
        self.optional = module.optional
        """The values that are None outside training."""
        self.names = dict(zip(module.inputs, arguments, strict=True))
        self.values = {name: value for value, name in self.names.items()}
        self.pending: dict[Value, InlineExpression] = {}
        self.branches = {number: run for run in self.concatenated() for number in run}

    def lines(self, indent: str, *, shapes: bool, root: bool) -> Iterator[str]:
        """The lines of the body, including the return; `shapes` adds comments with the shapes of outputs."""
        training = False
        for i, step in enumerate(self.module.steps):
            if step.training_only and not training:
                yield from self.open_training(i, indent)
            training = step.training_only
            deeper = indent + INDENT if training else indent
            expression = self.expression(i)
            if self.inlines(i, expression, len(deeper)):
                self.pending[step.outputs[0]] = expression
                continue
            single = len(step.outputs) == 1 or step.attribute is not None
            last = i == len(self.module.steps) - 1 and step.outputs == self.module.outputs
            if single and last and not training and not (root and self.optional.intersection(step.outputs)):
                yield from wrapped(f"{indent}return {expression.text}")
                return
            names = ", ".join(self.name(i, value) for value in step.outputs)
            line = f"{deeper}{names} = {expression.text}"
            types = ", ".join(str(value.type) for value in step.outputs)
            comment = f"  # {types}" if shapes else ""
            yield from [line + comment] if len(line + comment) <= WIDTH else wrapped(line)
        yield from self.returns(indent, root=root)

    def open_training(self, start: int, indent: str) -> Iterator[str]:
        """The `if self.training:` before training-only steps; values that are read later are None otherwise."""
        stop = start
        steps = self.module.steps
        while stop < len(steps) and steps[stop].training_only:
            stop += 1
        for i in range(start, stop):
            for value in steps[i].outputs:
                if self.last.get(value, -1) >= stop:
                    yield f"{indent}{self.name(i, value)}: Tensor | None = None"
        yield f"{indent}if self.training:"

    def returns(self, indent: str, *, root: bool) -> Iterator[str]:
        outputs = [self.read(value).text for value in self.module.outputs]
        always = [self.read(value).text for value in self.module.outputs if value not in self.optional]
        if root and len(always) < len(outputs):
            yield f"{indent}if self.training:"
            yield f"{indent}{INDENT}return {', '.join(outputs)}"
            yield f"{indent}return {', '.join(always)}"
        else:
            yield f"{indent}return {', '.join(outputs)}"

    def annotation(self, *, root: bool) -> str:
        """The type of the result."""
        types = ["Tensor | None" if value in self.optional else "Tensor" for value in self.module.outputs]
        always = [kind for kind in types if kind == "Tensor"]
        if not root or len(always) == len(types):
            return _joined(types)
        return f"{_joined(always)} | {_joined(types)}"

    def expression(self, number: int) -> InlineExpression:
        """The expression of a step, with pending expressions inlined."""
        step = self.module.steps[number]
        inputs = [self.read(value) for value in step.inputs]
        depth = 1 + max((expression.depth for expression in inputs), default=0)
        texts = [expression.text for expression in inputs]
        if step.attribute is not None:
            given = {f"x{i}": text for i, text in enumerate(texts)}
            arguments = ", ".join(texts) if step.arguments is None else step.arguments.format_map(given)
            return InlineExpression(f"{self.called(step)}({arguments})", depth)
        call = self.functions[number]
        if (alternative := self.alternatives.get(number)) is not None:
            text = _from_template(call, inputs, depth, "").text
            return InlineExpression(
                f"{text} if {self.choices[number]} else {self.read(alternative).text}", depth, operator=True
            )
        if call.template is not None:
            return _from_template(call, inputs, depth, self.reached(step.parameter))
        texts += [item.text for item in items(call)]
        return InlineExpression(f"{call.callee}({', '.join(texts)})", depth)

    def called(self, step: ForwardStep) -> str:
        """The child that a step calls, or a slice of it."""
        text = self.reached((step.attribute or "", *step.items))
        if step.part is None:
            return text
        start, stop = step.part.start, step.part.stop
        return f"{text}[{'' if start is None else start}:{'' if stop is None else stop}]"

    def reached(self, path: Sequence[str]) -> str:
        """The child at a path, or a child of a child."""
        text = "self"
        for name, container in self.module.containers(path):
            if container in ("nn.ModuleList", "nn.Sequential"):
                text += f"[{name}]"
            elif container == "nn.ModuleDict":
                text += f"[{literal(name)}]"
            else:
                text = f"{text}.{name}" if is_attribute(name) else f"getattr({text}, {literal(name)})"
        return text

    def inlines(self, number: int, expression: InlineExpression, indent: int) -> bool:
        """Whether a step is inlined into the next one."""
        steps = self.module.steps
        step, following = steps[number], steps[number + 1] if number + 1 < len(steps) else None
        if following is None or len(step.outputs) != 1 or self.uses[step.outputs[0]] != 1 or number in self.choices:
            return False
        if number in self.branches:
            texts = [self.expression(branch).text for branch in self.branches[number]]
            return indent + len(f"{INDENT}[{', '.join(texts)}], dim=1") <= WIDTH
        if step.outputs[0] not in following.inputs or following.training_only != step.training_only:
            return False
        if following.node is None or not isinstance(following.node.op, _LIGHT) or expression.depth >= _DEEPEST:
            return False
        if isinstance(following.node.op, Add) and number and steps[number - 1].hint == step.hint == following.hint:
            return False
        self.pending[step.outputs[0]] = expression
        text = self.expression(number + 1).text
        del self.pending[step.outputs[0]]
        return indent + len(text) + len(following.hint) + 3 <= WIDTH

    def concatenated(self) -> Iterator[range]:
        """Ranges of the calls whose results are concatenated: `torch.cat([self.one(x), self.two(x)], dim=1)`."""
        steps = self.module.steps
        for index, step in enumerate(steps):
            if step.node is None or not isinstance(step.node.op, Concat):
                continue
            run = range(index - len(step.inputs), index)
            if run.start < 0 or len(run) < 2 or any(steps[i].attribute is None for i in run):
                continue
            results = tuple(value for i in run for value in steps[i].outputs)
            nested = any(value in results for i in run for value in steps[i].inputs)
            if results == step.inputs and not nested and all(self.uses[value] == 1 for value in results):
                yield run

    def read(self, value: Value) -> InlineExpression:
        """The expression of a value: its variable, or a pending expression."""
        return self.pending.get(value) or InlineExpression(self.names[value])

    def name(self, number: int, value: Value) -> str:
        """The variable of a value: that of its path, unless that variable is needed while the value is in use."""
        if value in self.names:
            return self.names[value]
        step = self.module.steps[number]
        ports = step.node is not None and len(step.outputs) > 1
        if ports and value not in self.last:
            return "_"
        overlaps = any(
            later.hint == step.hint for later in self.module.steps[number + 1 : self.last.get(value, number)]
        )
        attribute = (step.attribute or "") + "_".join(step.items)
        several = step.attribute is not None and len(step.outputs) > 1 and not ports
        candidates = [] if overlaps or several else [step.hint]
        if is_attribute(attribute) and not several:
            candidates.append(attribute)
        if ports and value is not step.outputs[0]:
            candidates.insert(0, value.name.rpartition(".")[2])
        if several and is_attribute(step.names.get(value, "")):
            candidates.append(step.names[value])
        stem = f"{step.hint}_" if step.hint[-1].isdigit() else step.hint
        candidates += [f"{stem}{i}" for i in range(1 if several else 2, len(self.values) + 4)]
        name = next(name for name in candidates if name not in self.reserved and self.free(name, number))
        self.names[value] = name
        self.values[name] = value
        return name

    def free(self, name: str, number: int) -> bool:
        """Whether a variable can be reassigned after a step."""
        return name not in self.values or self.last.get(self.values[name], -1) <= number


def _joined(types: Sequence[str]) -> str:
    return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def _from_template(call: Call, inputs: Sequence[InlineExpression], depth: int, weight: str) -> InlineExpression:
    """The expression of a template, with parentheses around inputs that need them."""
    template = call.template or ""
    if template == "{x}":
        return inputs[0]
    texts = [expression.text for expression in inputs]
    parenthesized = [f"({expression.text})" if expression.operator else expression.text for expression in inputs]
    arguments = {int(number) for number in _ARGUMENT.findall(template)}
    text = template.format_map(
        {
            **{f"x{i}": (texts if i in arguments else parenthesized)[i] for i in range(len(inputs))},
            "x": parenthesized[0] if template.startswith("{x}") or "* {x}" in template else texts[0],
            "all": ", ".join(texts),
            "sum": " + ".join(texts),
            "product": " * ".join(parenthesized),
            "weight": weight,
            **{name: one_line(value) for name, value in call.arguments.items()},
        }
    )
    return InlineExpression(text, depth - _is_shallow(template), _is_operation(template))


def _is_shallow(template: str) -> bool:
    """Whether a template adds no depth to the expressions in it."""
    marks = ("{sum}", "{product}", "{weight} *", "+ {weight}")
    return template.startswith("{x0} ") or any(mark in template for mark in marks)


def _is_operation(template: str) -> bool:
    """Whether a template needs parentheses as an operand: an operator is outside all its parentheses."""
    while (inner := _PARENTHESES.sub("", template)) != template:
        template = inner
    return any(mark in template for mark in ("{sum}", "{product}", " + ", " - ", " * ", " / "))


_ARGUMENT = re.compile(r"(?:\(|, ){x(\d+)}(?=,|\))")
"""An input by its number as an argument of a function."""

_PARENTHESES = re.compile(r"[(\[][^()\[\]]*[)\]]")
