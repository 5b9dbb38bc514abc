"""Infers the parameters of a class's constructor from the differences between its instances.

A column contains one value per instance. A column with equal values is a constant. Any other column becomes the first
of these that matches: an existing parameter, an argument of the spec's block, an expression of existing parameters, a
new parameter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count

from archspec.lower.text.code_model import (
    INPLACE,
    Argument,
    Call,
    Constant,
    DeferredCall,
    ListLiteral,
    ParameterExpr,
    Syntax,
)
from archspec.lower.text.formatter import literal


class _Any:
    """Matches any value: a placeholder for an instance that lacks a child."""

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()

_SIZES = (
    "in_channels", "out_channels", "channels", "num_features", "num_channels", "in_features", "out_features",
    "features", "normalized_shape", "embed_dim",
)  # fmt: skip
"""Roles of numbers that may be multiples and sums of one another."""

_DERIVED = (*_SIZES, "groups")
"""Roles of numbers that may be derived from sizes; a depthwise convolution has one group per channel."""

_NAMES = {
    "num_features": "channels", "num_channels": "channels", "out_channels": "channels", "out_features": "features",
    "normalized_shape": "features", "p": "dropout",
}  # fmt: skip
"""Roles whose parameter has a clearer name."""


@dataclass(frozen=True)
class ConstructorParameter:
    """A parameter of a constructor, and its value in each instance."""

    name: str
    role: str
    column: tuple[object, ...]
    default: Constant | None = None
    has_default: bool = False

    @cached_property
    def annotation(self) -> str:
        """Its type."""
        kinds = dict.fromkeys(_kind(value) for value in self.column if value is not ANY)
        if "float" in kinds:
            kinds.pop("int", None)  # a float annotation accepts integers
        return " | ".join(kinds)

    @property
    def declaration(self) -> str:
        """Its declaration in a signature."""
        return f"{self.name}: {self.annotation}" + (f" = {literal(self.default)}" if self.has_default else "")


class Parameters:
    """The parameters of one class, collected while its children and functions are generalized."""

    def __init__(
        self,
        arguments: Sequence[Mapping[str, object]],
        reserved: Container[str],
        attributes: Container[str] = (),
    ) -> None:
        """Start without parameters.

        Args:
            arguments: the arguments of the spec's block, for each instance.
            reserved: names that a parameter cannot have.
            attributes: names that an attribute that stores a parameter cannot have.
        """
        self.count = len(arguments)
        self.attributes = attributes
        self.reserved = reserved
        self.stored: list[str] = []
        self.block_arguments = {
            name: tuple(values.get(name) for values in arguments) for name in (arguments[0] if arguments else ())
        }
        self.parameters: list[ConstructorParameter] = []

    def function(self, calls: Sequence[Call]) -> Call:
        """The least general form of functions of `forward`; parameters that it reads are stored on `self`."""
        arguments: dict[str, Argument] = {}
        for name in calls[0].arguments:
            values = [call.arguments[name] for call in calls]
            if calls[0].inplace and name == INPLACE:
                arguments[name] = all(values)
                continue
            argument = self.generalize(values, (calls[0].callee.rpartition(".")[2], name), name)
            if isinstance(argument, ParameterExpr):
                argument = ParameterExpr(self.store(argument.text, values, (calls[0].callee, name), name))
            arguments[name] = argument
        return replace(calls[0], arguments=arguments)

    def choice(self, column: Sequence[bool], name: str) -> str:
        """The condition that is true in the instances that have a step."""
        return self.store(self.express(tuple(column), (name,), ""), column, (name,), "")

    def store(self, text: str, column: Sequence[object], path: tuple[str, ...], role: str) -> str:
        """The attribute that stores the value of an expression for `forward`."""
        if not text.isidentifier() or text in self.attributes:
            text = self.add(self.name(path, self.attributes), role, tuple(column))
        self.stored.append(text)
        return f"self.{text}"

    def generalize(self, trees: Sequence[Argument | _Any], path: tuple[str, ...], role: str) -> Argument:
        """The least general form of one tree per instance, with parameter expressions where they differ."""
        known = [tree for tree in trees if not isinstance(tree, _Any)]
        first = known[0]
        if all(tree == first and type(tree) is type(first) for tree in known):
            return replace(first, comment=_common(known)) if isinstance(first, Call) else first
        calls = [tree for tree in known if isinstance(tree, Call)]
        if len(calls) == len(known):
            if _same_callee(calls):
                return self.calls(trees, calls[0], path)
            present = [tree for tree in calls if tree.callee != "nn.Identity"]
            if _same_callee(present) and len(present) < len(calls):
                return self.optional(trees, present[0], path)
        return ParameterExpr(self.express(tuple(trees), path, role))

    def calls(self, trees: Sequence[Argument | _Any], model: Call, path: tuple[str, ...]) -> Call:
        """The least general form of calls of one callee, argument by argument and child by child."""

        def column(key: str | int) -> list[Argument | _Any]:
            return [_argument(tree, key) if isinstance(tree, Call) else ANY for tree in trees]

        arguments = {
            name: all(value is not False for value in column(name))
            if model.inplace and name == INPLACE
            else self.generalize(column(name), (*path, name), model.roles.get(name, name))
            for name in model.arguments
        }
        children = [self.generalize(column(i), (*path, str(i)), "") for i in range(len(model.children))]
        comment = _common([tree for tree in trees if not isinstance(tree, _Any)])
        return replace(model, arguments=arguments, children=tuple(children), comment=comment)

    def optional(self, trees: Sequence[Argument | _Any], model: Call, path: tuple[str, ...]) -> ParameterExpr | Call:
        """A child that some instances have, and that is an identity in the others."""
        absent = [isinstance(tree, Call) and tree.callee == "nn.Identity" for tree in trees]
        known = [ANY if missing else tree for missing, tree in zip(absent, trees, strict=True)]
        present = self.calls(known, model, path)
        flag = self.express(tuple(not missing for missing in absent), path, "")
        children = (present, Call("nn.Identity"))
        return Call("", {"condition": ParameterExpr(flag)}, children=children, syntax=Syntax.CHOICE)

    def express(self, column: tuple[object, ...], path: tuple[str, ...], role: str) -> str:
        """An expression whose values are the column."""
        shareable = not any(map(_has_state, column))
        for parameter in self.parameters:
            if shareable and _same(column, parameter.column) and _same_types(column, parameter.column):
                return parameter.name
        for name, values in self.block_arguments.items():
            if _same(column, values) and self.free(name):
                merged = (other if value is ANY else value for value, other in zip(column, values, strict=True))
                return self.add(name, role, tuple(merged))
        if role in _DERIVED and (text := self.derive(column)):
            return text
        if role == "padding" and (text := self.halve(column)):
            return text
        return self.add(self.namesake(column) or self.name(path), role, column)

    def namesake(self, column: tuple[object, ...]) -> str | None:
        """The block argument that selects the module in each instance, such as `act`."""
        modules = [repr(replace(value, comment="")) for value in column if isinstance(value, Call)]
        if len(modules) < len(column):
            return None
        for name, values in self.block_arguments.items():
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) < len(column):
                continue
            pairs = set(zip(texts, modules, strict=True))
            one_to_one = len(pairs) == len(set(texts)) == len(set(modules))
            if one_to_one and self.free(name):
                return name
        return None

    def derive(self, column: tuple[object, ...]) -> str | None:
        """The column as a multiple, a fraction or a sum of parameters that are sizes."""
        numbers = [(i, value) for i, value in enumerate(column) if isinstance(value, int)]
        if len({value for _, value in numbers}) < 2:
            return None
        sizes = [parameter for parameter in self.parameters if parameter.role in _SIZES]
        for one in sizes:
            pairs = [(value, size) for i, value in numbers if isinstance(size := one.column[i], int)]
            if len(pairs) == len(numbers):
                factors = {value / size for value, size in pairs}
                if len(factors) == 1 and (factor := factors.pop()) == int(factor):
                    return f"{int(factor)} * {one.name}"
                divisors = {size / value for value, size in pairs}
                if len(divisors) == 1 and (divisor := divisors.pop()) == int(divisor):
                    return f"{one.name} // {int(divisor)}"
        for one in sizes:
            for other in sizes:
                if all(_sum(one.column[i], other.column[i]) == value for i, value in numbers):
                    return f"{one.name} + {other.name}"
        return None

    def halve(self, column: tuple[object, ...]) -> str | None:
        """The column as half of an odd kernel, the padding that preserves sizes."""
        for one in self.parameters:
            if one.role == "kernel_size" and all(isinstance(kernel, int) and kernel % 2 for kernel in one.column):
                kernels = [kernel for kernel in one.column if isinstance(kernel, int)]
                if _same(column, [kernel // 2 for kernel in kernels]):
                    return f"{one.name} // 2"
        return None

    def add(self, name: str, role: str, column: tuple[object, ...]) -> str:
        known = next(value for value in column if value is not ANY)
        unread = Call("nn.Identity") if isinstance(known, Call | DeferredCall) else known
        column = tuple(unread if value is ANY else value for value in column)
        texts = [None if isinstance(value, Call | DeferredCall) else repr(value) for value in column]
        ((text, times),) = Counter(texts).most_common(1)
        has_default = role not in _SIZES and text is not None and times * 2 > self.count
        default = column[texts.index(text)]
        self.parameters.append(
            ConstructorParameter(name, role, column, default if has_default else None, has_default)  # type: ignore[arg-type]
        )
        return name

    def name(self, path: tuple[str, ...], reserved: Container[str] = ()) -> str:
        """An unused name: that of the argument, or with the name of the child before it."""
        first, last = (f"layer{part}" if part[:1].isdigit() else part for part in (path[0], path[-1]))
        base = _NAMES.get(last, last)
        longer = "_".join(dict.fromkeys((first, base))).replace("-", "_").lstrip("_")
        candidates = chain((base, longer), (f"{longer}{i}" for i in count(2)))
        return next(name for name in candidates if name not in reserved and self.free(name))

    def free(self, name: str) -> bool:
        """Whether a parameter can have a name."""
        return name not in self.reserved and all(name != parameter.name for parameter in self.parameters)

    @property
    def ordered(self) -> list[ConstructorParameter]:
        """The parameters in the order of the constructor: those without a default first, in each group modules last."""
        return sorted(
            self.parameters, key=lambda parameter: (parameter.has_default, parameter.annotation == "nn.Module")
        )

    def call(self, name: str, instance: int) -> Call:
        """The constructor call of one instance."""
        arguments = {parameter.name: parameter.column[instance] for parameter in self.ordered}
        required = sum(not parameter.has_default for parameter in self.parameters)
        defaults = {parameter.name: parameter.default for parameter in self.parameters if parameter.has_default}
        roles = {parameter.name: parameter.role for parameter in self.parameters}
        return Call(name, arguments, required, defaults, roles=roles)  # type: ignore[arg-type]


def _argument(call: Call, key: str | int) -> Argument:
    return call.arguments[key] if isinstance(key, str) else call.children[key]


def _common(trees: Sequence[Argument]) -> str:
    """The comment that all calls share, or an empty string."""
    comments = {tree.comment for tree in trees if isinstance(tree, Call)}
    return comments.pop() if len(comments) == 1 else ""


def _same_callee(calls: Sequence[Call]) -> bool:
    """Whether calls have one callee, and the same arguments and number of children."""
    kinds = {
        (call.syntax, call.callee, call.template, tuple(call.arguments), len(call.children), call.names)
        for call in calls
    }
    return len(kinds) == 1


def _same(column: Sequence[object], other: Sequence[object]) -> bool:
    pairs = zip(column, other, strict=True)
    return all(a is ANY or b is ANY or (a == b and isinstance(a, bool) == isinstance(b, bool)) for a, b in pairs)


def _same_types(column: Sequence[object], other: Sequence[object]) -> bool:
    """Whether the types agree: 2 equals 2.0, but cannot replace it where an integer is required."""
    return all(a is ANY or b is ANY or type(a) is type(b) for a, b in zip(column, other, strict=True))


def _has_state(value: object) -> bool:
    """Whether it is a module with weights, which a second use would share."""
    return isinstance(value, DeferredCall) or (isinstance(value, Call) and not value.stateless)


def _sum(one: object, other: object) -> object:
    return one + other if isinstance(one, int) and isinstance(other, int) else None


def _kind(value: object) -> str:
    if isinstance(value, Call | DeferredCall):
        return "nn.Module"
    if isinstance(value, ListLiteral):
        return f"list[{' | '.join(dict.fromkeys(map(_kind, value)))}]"
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_kind, value))}]"
    return type(value).__name__ if value is not None else "None"
