"""Code that initializes weights where the spec differs from the defaults of PyTorch's layers."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.ir.graph import Graph, Node, Scope
from archspec.ir.operation import Operation
from archspec.ir.types import Initializer, Weight
from archspec.lower.text.constants import enter, is_large
from archspec.lower.text.formatter import INDENT, literal
from archspec.lower.torch.init_calls import init_call
from archspec.lower.torch.rules import RULES


@dataclass(slots=True)
class InitCode:
    """The lines that initialize and freeze weights, with the tables and functions that they use."""

    lines: list[str] = field(default_factory=list)
    tables: dict[str, object] = field(default_factory=dict)
    helpers: tuple[tuple[str, int], ...] = ()
    """Functions of `helpers/initializers.py`, each with 0, since none depends on the number of spatial axes."""


@dataclass(frozen=True, slots=True)
class _Start:
    """How a weight starts: under `key` in the state dict, in the module `path` of a kind; None if PyTorch does it."""

    kind: str
    name: str
    key: str
    path: str
    initializer: Initializer | None


def initialization(graph: Graph) -> InitCode:
    """The code: a loop over the modules of a part if all of a kind in it start alike, else one line per weight."""
    code = InitCode()
    starts: list[_Start] = []
    of_layers: dict[type[Operation], list[set[str]]] = {}
    """The names of the weights of each layer, by op."""
    ops: dict[str, type[Operation]] = {}
    for node in graph.nodes:
        of_layers.setdefault(type(node.op), []).append({weight.name for weight in node.weights})
        if node.owner is None and node.weights:
            kind = _kind(node)
            ops[kind] = type(node.op)
            for weight, default in zip(node.weights, node.op.weights(node.input_types), strict=True):
                changed = None if _has_default_init(weight, default) else weight.initializer
                module, name = (kind, weight.name) if kind not in _HOLDERS else _held(kind, weight.name)
                starts.append(_Start(module, name, node.weight_key(weight), node.name, changed))
    if any(start.initializer is not None and start.initializer.kind == "bilinear" for start in starts):
        code.helpers = (("bilinear_", 0),)
    looped: set[_Start] = set()
    common = {kind: set[str].intersection(*of_layers[op]) for kind, op in ops.items()}
    code.lines += _loops(graph.body, starts, common, looped)
    kinds = dict.fromkeys((start.kind, start.name) for start in starts)
    order = {kind: number for number, kind in enumerate(kinds)}
    left = [start for start in starts if start.initializer is not None and start not in looped]
    code.lines += _singles(sorted(left, key=lambda start: order[start.kind, start.name]), code)
    code.lines += _frozen(graph.body)
    return code


def _loops(
    scope: Scope, starts: Sequence[_Start], common: Mapping[str, Container[str]], looped: set[_Start]
) -> Iterator[str]:
    """The loops over the modules of a scope, and over those of the named scopes inside where kinds start differently.

    Args:
        scope: the scope.
        starts: how the weights in it start.
        common: the weights that every layer of the op of a kind has.
        looped: the weights that a loop initializes are added.
    """
    by_kind: dict[tuple[str, str], list[_Start]] = {}
    for start in starts:
        if start not in looped:
            by_kind.setdefault((start.kind, start.name), []).append(start)
    loops: dict[str, list[str]] = {}
    for (kind, name), alike in by_kind.items():
        first = alike[0].initializer
        enough = len(alike) >= (_LEAST_IN_PART if scope.name else 2)
        if enough and first is not None and first.kind != "values" and {each.initializer for each in alike} == {first}:
            optional = name.endswith("bias") or name not in common[kind]
            loops.setdefault(kind, []).extend(_in_loop(name, first, optional=optional))
            looped.update(alike)
    modules = f'self.get_submodule("{scope.name}").modules()' if scope.name else "self.modules()"
    yield from _loop(modules, loops, {start.kind for start in starts})
    left = [start for start in starts if start.initializer is not None and start not in looped]
    for part in _named_scopes(scope) if len(left) >= _LEAST_IN_PART else ():
        inside = [start for start in starts if start.path.startswith(f"{part.name}.")]
        if sum(start.initializer is not None and start not in looped for start in inside) >= _LEAST_IN_PART:
            yield from _loops(part, inside, common, looped)


_LEAST_IN_PART = 4
"""The least number of weights that a loop over the modules of a part is worth."""


def _named_scopes(scope: Scope) -> Iterator[Scope]:
    """The outermost scopes inside that have names."""
    for item in scope.items:
        if isinstance(item, Scope):
            yield from [item] if item.name is not None else _named_scopes(item)


def _frozen(scope: Scope) -> Iterator[str]:
    """The lines that freeze what is not trained in a scope: modules of several layers, or else single parameters."""
    for item in scope.items:
        if isinstance(item, Node):
            frozen = [weight for weight in _parameters(item) if not weight.trainable]
            yield from (f'self.get_parameter("{item.weight_key(weight)}").requires_grad_(False)' for weight in frozen)
        elif item.name is not None and _is_frozen(item):
            yield f'self.get_submodule("{item.name}").requires_grad_(False)'
        else:
            yield from _frozen(item)


def _is_frozen(scope: Scope) -> bool:
    """Whether a scope has several layers with parameters of their own, and none of these is trained."""
    layers = [parameters for node in scope.nodes() if (parameters := _parameters(node))]
    return len(layers) > 1 and not any(weight.trainable for parameters in layers for weight in parameters)


def _parameters(node: Node) -> list[Weight]:
    return [weight for weight in node.weights if not weight.buffer] if node.owner is None else []


def _has_default_init(weight: Weight, default: Weight) -> bool:
    """Whether the constructor initializes a weight; that of a bare parameter does, except for listed values."""
    return weight.initializer == default.initializer or (weight.bare and weight.initializer.kind != "values")


def _kind(node: Node) -> str:
    module = RULES.apply(node, node).module
    return module.callee if module else ""


_HOLDERS = {"WindowAttention": "nn.Linear"}
"""Kinds of modules that hold modules of another kind: these start as others of their kind."""


def _held(kind: str, name: str) -> tuple[str, str]:
    """The kind of the module that has a weight of a module of this kind, and the name there."""
    holder, _, own = name.rpartition(".")
    return (_HOLDERS[kind], own) if holder else (kind, name)


_OTHERS = {
    "ChannelNorm": "nn.LayerNorm",
    "Attention": "nn.Linear",  # the output projection, initialized with the other weights of attention
    **{f"{kind}Conv{axes}d": f"nn.Conv{axes}d" for kind in ("Edge", "Padded", "Same") for axes in (1, 2, 3)},
    **{f"CroppedConvTranspose{axes}d": f"nn.ConvTranspose{axes}d" for axes in (1, 2, 3)},
}
"""Kinds of modules that are subclasses of another kind or contain a module of it, with that other kind."""


def _loop(modules: str, loops: Mapping[str, list[str]], kinds: Container[str]) -> Iterator[str]:
    if not loops:
        return
    yield f"for module in {modules}:"
    kinds_by_code: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for kind, lines in loops.items():
        if lines != loops.get(_OTHERS.get(kind, "")):
            others = (other for other, base in _OTHERS.items() if base == kind and other in kinds)
            exactly = any(loops.get(other) != lines for other in others)
            kinds_by_code.setdefault((exactly, tuple(lines)), []).append(kind)
    for i, ((exactly, body), names) in enumerate(kinds_by_code.items()):
        subclass = f"isinstance(module, {' | '.join(names)})"
        exact = f"type(module) is {names[0]}" if len(names) == 1 else f"type(module) in ({', '.join(names)})"
        condition = exact if exactly else subclass
        if len(body) == 2 and body[0].startswith("if "):
            condition, body = f"{condition} and {body[0][3:-1]}", (body[1].removeprefix(INDENT),)
        yield f"{INDENT}{'elif' if i else 'if'} {condition}:"
        yield from (INDENT * 2 + line for line in body)


def _in_loop(name: str, initializer: Initializer, *, optional: bool) -> list[str]:
    call = init_call(f"module.{name}", initializer)
    return [f"if module.{name} is not None:", INDENT + call] if optional else [call]


def _singles(starts: Sequence[_Start], code: InitCode) -> Iterator[str]:
    """A line per weight, or a loop over the numbers of parts whose weights start alike."""
    runs: dict[tuple[str, Initializer], list[_Start]] = {}
    for start in starts:
        assert start.initializer is not None
        runs.setdefault((_NUMBER.sub("{i}", start.key, count=1), start.initializer), []).append(start)
    loops: dict[int, list[str]] = {}
    for (pattern, initializer), run in runs.items():
        numbers = [int(found[0]) for start in run if (found := _NUMBER.search(start.key))]
        if len(run) >= _LEAST_IN_PART and numbers == [*range(len(run))] and initializer.kind != "values":
            line = init_call(f'self.get_parameter(f"{pattern}")', initializer)
            loops.setdefault(len(run), []).append(line)
        else:
            yield from (_one(start.key, initializer, code) for start in run)
    for count, body in loops.items():
        yield f"for i in range({count}):"
        yield from (INDENT + line for line in body)


_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
"""The number of a part in the name of a weight."""


def _one(key: str, initializer: Initializer, code: InitCode) -> str:
    """The line that initializes one weight."""
    target = f'self.get_parameter("{key}")'
    if initializer.kind != "values":
        return init_call(target, initializer)
    values = initializer.options["values"]
    text = literal(values)
    if is_large(values):
        text = enter(code.tables, key, values, reserved=("F",))
    return f"{target}.data.copy_(torch.tensor({text}))"
