"""Code that initializes weights where the spec differs from the defaults of PyTorch's layers."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from archspec.ir.graph import Graph, Node
from archspec.ir.types import Initializer, Weight
from archspec.lower.text.constants import enter, is_large
from archspec.lower.text.formatter import INDENT, literal
from archspec.lower.torch.init_calls import init_call
from archspec.lower.torch.rules import RULES


@dataclass(slots=True)
class InitCode:
    """The lines that initialize and freeze weights, and the tables of numbers and the functions that they use."""

    lines: list[str] = field(default_factory=list)
    tables: dict[str, object] = field(default_factory=dict)
    helpers: tuple[tuple[str, int], ...] = ()
    """Functions of `helpers/initializers.py`, each with 0: none depends on the number of spatial axes."""


def initialization(graph: Graph) -> InitCode:
    """The code: a loop where all modules of a kind are initialized alike, else one line per weight."""
    start = InitCode()
    wanted: dict[tuple[str, str], list[tuple[str, Initializer | None]]] = {}
    frozen: list[str] = []
    for node in graph.nodes:
        if node.owner is None:
            for weight, default in zip(node.weights, node.op.weights(node.input_types), strict=True):
                changed = None if _starts_as_made(weight, default) else weight.initializer
                wanted.setdefault((_kind(node), weight.name), []).append((node.weight_key(weight), changed))
                if not weight.trainable and not weight.buffer:
                    frozen.append(node.weight_key(weight))
    loops: dict[str, list[str]] = {}
    single: list[str] = []
    for (kind, name), weights in wanted.items():
        first = weights[0][1]
        if first is not None and first.kind != "values" and len(weights) > 1 and {w for _, w in weights} == {first}:
            loops.setdefault(kind, []).extend(_in_loop(name, first))
        else:
            single += [_one(key, changed, start) for key, changed in weights if changed is not None]
    kinds = {kind for kind, _ in wanted}
    if any(changed is not None and changed.kind == "bilinear" for own in wanted.values() for _, changed in own):
        start.helpers = (("bilinear_", 0),)
    start.lines += [*_loop(loops, kinds), *single]
    start.lines += [f'self.get_parameter("{key}").requires_grad_(False)' for key in frozen]
    return start


def _starts_as_made(weight: Weight, default: Weight) -> bool:
    """Whether the construction initializes a weight; that of a bare parameter does for all but listed values."""
    return weight.initializer == default.initializer or (weight.bare and weight.initializer.kind != "values")


def _kind(node: Node) -> str:
    module = RULES.apply(node, node).module
    return module.callee if module else ""


_OTHERS = {
    "ChannelNorm": "nn.LayerNorm",
    "Attention": "nn.Linear",  # the output projection, initialized with the other weights of attention
    **{f"PaddedConv{axes}d": f"nn.Conv{axes}d" for axes in (1, 2, 3)},
    **{f"CroppedConvTranspose{axes}d": f"nn.ConvTranspose{axes}d" for axes in (1, 2, 3)},
}
"""Kinds of modules with weights that are, or are within, a module of another kind."""


def _loop(loops: Mapping[str, list[str]], kinds: Container[str]) -> Iterator[str]:
    if not loops:
        return
    yield "for module in self.modules():"
    alike: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for kind, lines in loops.items():
        if lines != loops.get(_OTHERS.get(kind, "")):
            others = (other for other, base in _OTHERS.items() if base == kind and other in kinds)
            exactly = any(loops.get(other) != lines for other in others)
            alike.setdefault((exactly, tuple(lines)), []).append(kind)
    for i, ((exactly, each), named) in enumerate(alike.items()):
        those = f"isinstance(module, {' | '.join(named)})"
        exact = f"type(module) is {named[0]}" if len(named) == 1 else f"type(module) in ({', '.join(named)})"
        yield f"{INDENT}{'elif' if i else 'if'} {exact if exactly else those}:"
        yield from (INDENT * 2 + line for line in each)


def _in_loop(name: str, initializer: Initializer) -> list[str]:
    call = init_call(f"module.{name}", initializer)
    return [call] if not name.endswith("bias") else [f"if module.{name} is not None:", INDENT + call]


def _one(key: str, initializer: Initializer, start: InitCode) -> str:
    """The line that initializes one weight."""
    target = f'self.get_parameter("{key}")'
    if initializer.kind != "values":
        return init_call(target, initializer)
    values = initializer.options["values"]
    text = literal(values)
    if is_large(values):
        text = enter(start.tables, key, values)
    return f"{target}.data.copy_(torch.tensor({text}))"
