"""The parameters of a class's constructor: what differs between its instances, named and expressed sparingly.

Each instance gives one value, and the values of all instances make a column. A column that is the same everywhere stays
a constant. Another is the first of these that fits: a parameter there already, a block's argument of the spec, a
multiple or a sum of parameters, a parameter of its own.
"""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archspec.lower.text.code_model import INPLACE, Argument, Call, Constant, DeferredCall, ListLiteral, ParameterExpr
from archspec.lower.text.formatter import literal


class _Any:
    """Stands where an instance has no say: in a child it does not have."""

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()

_SIZES = (
    "in_channels", "out_channels", "channels", "num_features", "num_channels", "in_features", "out_features",
    "features", "normalized_shape", "embed_dim",
)  # fmt: skip
"""Roles of numbers that come in multiples and sums of one another."""

_WORTH_AN_EXPRESSION = (*_SIZES, "groups")
"""Roles of numbers that may follow from sizes; a depthwise convolution has a group a channel."""

_NAMES = {
    "num_features": "channels", "num_channels": "channels", "out_channels": "channels", "out_features": "features",
    "normalized_shape": "features", "p": "dropout",
}  # fmt: skip
"""Roles that have a better name as a parameter."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a constructor, and its value in each instance."""

    name: str
    role: str
    column: tuple[object, ...]
    default: Constant | None = None
    has_default: bool = False

    @property
    def annotation(self) -> str:
        """Its type."""
        kinds = dict.fromkeys(_kind(value) for value in self.column if value is not ANY)
        if "float" in kinds:
            kinds.pop("int", None)  # to which whole numbers belong as well
        return " | ".join(kinds)

    @property
    def declaration(self) -> str:
        """How it stands in a signature."""
        return f"{self.name}: {self.annotation}" + (f" = {literal(self.default)}" if self.has_default else "")


class Parameters:
    """The parameters of one class, found as its parts are generalized."""

    def __init__(
        self,
        arguments: Sequence[Mapping[str, object]],
        children: Iterable[str],
        reserved: Container[str] = ("self", "nn", "F", "torch", "Tensor"),
    ) -> None:
        self.count = len(arguments)
        self.children = frozenset(children)
        self.reserved = reserved
        self.stored: list[str] = []
        self.offered = {name: tuple(own.get(name) for own in arguments) for name in (arguments[0] if arguments else ())}
        self.found: list[Parameter] = []

    def function(self, calls: Sequence[Call]) -> Call:
        """What functions of `forward` have in common; parameters they need are stored on `self`."""
        arguments: dict[str, Argument] = {}
        for name in calls[0].arguments:
            values = [call.arguments[name] for call in calls]
            if name == INPLACE:
                arguments[name] = all(values)
                continue
            found = self.generalize(values, (calls[0].callee.rpartition(".")[2], name), name)
            if isinstance(found, ParameterExpr):
                found = ParameterExpr(self.store(found.text, values, (calls[0].callee, name), name))
            arguments[name] = found
        return replace(calls[0], arguments=arguments)

    def choice(self, column: Sequence[bool], name: str) -> str:
        """What tells whether an instance does a step."""
        return self.store(self.express(tuple(column), (name,), ""), column, (name,), "")

    def store(self, text: str, column: Sequence[object], path: tuple[str, ...], role: str) -> str:
        """The attribute that keeps for `forward` what an expression is worth."""
        if not text.isidentifier() or text in self.children:
            text = self.add(self.name(path, self.children), role, tuple(column))
        self.stored.append(text)
        return f"self.{text}"

    def generalize(self, trees: Sequence[Argument | _Any], path: tuple[str, ...], role: str) -> Argument:
        """What the instances have in common, with a hole wherever they differ."""
        known = [tree for tree in trees if not isinstance(tree, _Any)]
        first = known[0]
        if all(tree == first and type(tree) is type(first) for tree in known):
            return replace(first, comment=_common(known)) if isinstance(first, Call) else first
        calls = [tree for tree in known if isinstance(tree, Call)]
        if len(calls) == len(known):
            if _alike(calls):
                return self.calls(trees, calls[0], path)
            present = [tree for tree in calls if tree.callee != "nn.Identity"]
            if _alike(present) and len(present) < len(calls):
                return self.optional(trees, present[0], path)
        return ParameterExpr(self.express(tuple(trees), path, role))

    def calls(self, trees: Sequence[Argument | _Any], model: Call, path: tuple[str, ...]) -> Call:
        """Calls of one callee, generalized argument by argument and child by child."""

        def column(pick: str | int) -> list[Argument | _Any]:
            return [_part(tree, pick) if isinstance(tree, Call) else ANY for tree in trees]

        arguments = {
            name: all(value is not False for value in column(name))
            if name == INPLACE
            else self.generalize(column(name), (*path, name), model.roles.get(name, name))
            for name in model.arguments
        }
        children = [self.generalize(column(i), (*path, str(i)), "") for i in range(len(model.children))]
        comment = _common([tree for tree in trees if not isinstance(tree, _Any)])
        return replace(model, arguments=arguments, children=tuple(children), comment=comment)

    def optional(self, trees: Sequence[Argument | _Any], model: Call, path: tuple[str, ...]) -> ParameterExpr | Call:
        """A child that some instances have and others hand their input through."""
        absent = [isinstance(tree, Call) and tree.callee == "nn.Identity" for tree in trees]
        present = self.calls([ANY if gone else tree for gone, tree in zip(absent, trees, strict=True)], model, path)
        flag = self.express(tuple(not gone for gone in absent), path, "")
        return Call("if", {"condition": ParameterExpr(flag)}, children=(present, Call("nn.Identity")))

    def express(self, column: tuple[object, ...], path: tuple[str, ...], role: str) -> str:
        """An expression that is worth the column."""
        for parameter in self.found:
            if _same(column, parameter.column) and _like(column, parameter.column) and not any(map(_owned, column)):
                return parameter.name
        for name, offered in self.offered.items():
            if _same(column, offered) and self.free(name):
                merged = (given if own is ANY else own for own, given in zip(column, offered, strict=True))
                return self.add(name, role, tuple(merged))
        if role in _WORTH_AN_EXPRESSION and (text := self.derive(column)):
            return text
        if role == "padding" and (text := self.halve(column)):
            return text
        return self.add(self.namesake(column) or self.name(path), role, column)

    def namesake(self, column: tuple[object, ...]) -> str | None:
        """The argument of the block that tells which module it is in each instance, as `act` may."""
        modules = [repr(replace(value, comment="")) for value in column if isinstance(value, Call)]
        if len(modules) < len(column):
            return None
        for name, offered in self.offered.items():
            texts = [one for one in offered if isinstance(one, str)]
            if len(texts) < len(column):
                continue
            pairs = set(zip(texts, modules, strict=True))
            if len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs}) and self.free(name):
                return name
        return None

    def derive(self, column: tuple[object, ...]) -> str | None:
        """The column as a multiple, a part or a sum of parameters that are sizes."""
        wanted = [(i, value) for i, value in enumerate(column) if isinstance(value, int)]
        if len({value for _, value in wanted}) < 2:
            return None
        sizes = [parameter for parameter in self.found if parameter.role in _SIZES]
        for one in sizes:
            pairs = [(value, own) for i, value in wanted if isinstance(own := one.column[i], int)]
            if len(pairs) == len(wanted):
                factors = {value / own for value, own in pairs}
                if len(factors) == 1 and (factor := factors.pop()) == int(factor):
                    return f"{int(factor)} * {one.name}"
                parts = {own / value for value, own in pairs}
                if len(parts) == 1 and (part := parts.pop()) == int(part):
                    return f"{one.name} // {int(part)}"
        for one in sizes:
            for other in sizes:
                if all(_sum(one.column[i], other.column[i]) == value for i, value in wanted):
                    return f"{one.name} + {other.name}"
        return None

    def halve(self, column: tuple[object, ...]) -> str | None:
        """The column as the padding that keeps the size under odd kernels."""
        for one in self.found:
            if one.role == "kernel_size" and all(isinstance(kernel, int) and kernel % 2 for kernel in one.column):
                kernels = [kernel for kernel in one.column if isinstance(kernel, int)]
                if _same(column, [kernel // 2 for kernel in kernels]):
                    return f"{one.name} // 2"
        return None

    def add(self, name: str, role: str, column: tuple[object, ...]) -> str:
        filled = next(value for value in column if value is not ANY)
        column = tuple(filled if value is ANY else value for value in column)
        ((value, times),) = Counter(map(repr, column)).most_common(1)
        default = next(item for item in column if repr(item) == value)
        usual = role not in _SIZES and times * 2 > self.count and not isinstance(default, Call | DeferredCall)
        self.found.append(Parameter(name, role, column, default if usual else None, usual))  # type: ignore[arg-type]
        return name

    def name(self, path: tuple[str, ...], taken: Container[str] = ()) -> str:
        """A name nobody has: that of the argument, or with the child's before it."""
        first, last = (f"layer{part}" if part.isdigit() else part for part in (path[0], path[-1]))
        own = _NAMES.get(last, last)
        candidates = [own, "_".join(dict.fromkeys((first, own)))]
        candidates += [f"{candidates[-1]}{i}" for i in range(2, len(self.found) + 3)]
        return next(name for name in candidates if name not in taken and self.free(name) and name.isidentifier())

    def free(self, name: str) -> bool:
        return (
            name not in self.reserved
            and name not in (parameter.name for parameter in self.found)
            and not keyword.iskeyword(name)
        )

    @property
    def ordered(self) -> list[Parameter]:
        """The parameters as the constructor lists them: modules after numbers, those with a default last."""
        return sorted(self.found, key=lambda found: (found.has_default, found.annotation == "nn.Module"))

    def call(self, name: str, instance: int) -> Call:
        """The construction of one instance."""
        arguments = {parameter.name: parameter.column[instance] for parameter in self.ordered}
        required = sum(not parameter.has_default for parameter in self.found)
        defaults = {parameter.name: parameter.default for parameter in self.found if parameter.has_default}
        roles = {parameter.name: parameter.role for parameter in self.found}
        return Call(name, arguments, required, defaults, roles=roles)  # type: ignore[arg-type]


def _part(call: Call, pick: str | int) -> Argument:
    return call.arguments[pick] if isinstance(pick, str) else call.children[pick]


def _common(trees: Sequence[Argument]) -> str:
    """The comment all calls have, if they have one."""
    comments = {tree.comment for tree in trees if isinstance(tree, Call)}
    return comments.pop() if len(comments) == 1 else ""


def _alike(calls: Sequence[Call]) -> bool:
    """Whether calls have one callee, and the same arguments and number of children."""
    kinds = {(call.callee, call.template, tuple(call.arguments), len(call.children), call.names) for call in calls}
    return len(kinds) == 1


def _same(column: Sequence[object], other: Sequence[object]) -> bool:
    pairs = zip(column, other, strict=True)
    return all(a is ANY or b is ANY or (a == b and isinstance(a, bool) == isinstance(b, bool)) for a, b in pairs)


def _like(column: Sequence[object], other: Sequence[object]) -> bool:
    """Whether the types agree: 2 is 2.0 to a spec, but not to what takes a whole number alone."""
    return all(a is ANY or b is ANY or type(a) is type(b) for a, b in zip(column, other, strict=True))


def _owned(value: object) -> bool:
    """Whether it is a module that cannot stand in a second place, where its weights would be shared."""
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
