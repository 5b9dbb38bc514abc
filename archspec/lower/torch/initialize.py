"""How weights start, where the spec says other than PyTorch's own layers do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.ir.graph import Graph, Node
from archspec.ir.types import Initializer
from archspec.lower.torch.layout import INDENT, literal
from archspec.lower.torch.rules import leaf


def initialization(graph: Graph) -> list[str]:
    """The lines that start and freeze weights: a loop where all modules of a kind start alike, else a line a weight."""
    wanted: dict[tuple[str, str], list[tuple[str, Initializer | None]]] = {}
    frozen: list[str] = []
    for node in graph.nodes:
        if node.owner is None:
            for weight, default in zip(node.weights, node.op.weights(node.input_types), strict=True):
                changed = None if weight.initializer == default.initializer else weight.initializer
                wanted.setdefault((_kind(node), weight.name), []).append((node.weight_key(weight), changed))
                if not weight.trainable and not weight.buffer:
                    frozen.append(node.weight_key(weight))
    loops: dict[str, list[str]] = {}
    single: list[str] = []
    for (kind, name), weights in wanted.items():
        first = weights[0][1]
        if first is not None and len(weights) > 1 and all(changed == first for _, changed in weights):
            loops.setdefault(kind, []).append(_start(f"module.{name}", first))
        else:
            single += [_start(f'self.get_parameter("{key}")', changed) for key, changed in weights if changed]
    return [*_loop(loops), *single, *(f'self.get_parameter("{key}").requires_grad_(False)' for key in frozen)]


def _kind(node: Node) -> str:
    module = leaf(node).module
    return module.callee if module else ""


def _loop(loops: Mapping[str, list[str]]) -> Iterator[str]:
    if not loops:
        return
    yield "for module in self.modules():"
    for i, (kind, lines) in enumerate(loops.items()):
        yield f"{INDENT}{'elif' if i else 'if'} isinstance(module, {kind}):"
        yield from (INDENT * 2 + line for line in lines)


def _start(target: str, initializer: Initializer) -> str:
    """The call that starts one weight."""
    options = dict(initializer.options)
    if initializer.kind == "values":
        return f"{target}.data.copy_(torch.tensor({literal(options['values'])}))"
    if initializer.kind == "uniform":
        options = {"a": options["low"], "b": options["high"]}
    if initializer.kind == "constant":
        options = {"val": options["value"]}
    shown = "".join(f", {name}={literal(value)}" for name, value in options.items())
    return f"nn.init.{initializer.kind}_({target}{shown})"
