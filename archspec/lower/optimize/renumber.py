"""Numbered layers move up where others were left out, so that `nn.Sequential` stays one."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.optimize.rewriter import Weights


def close_gaps(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Number anew the layers of every part whose layers are all numbered: 0, 2, 3 become 0, 1, 2.

    These layers change their names, and their weights with them.
    """
    children: dict[str, set[str]] = {}
    for name in _names(graph.body):
        parent, _, local = name.rpartition(".")
        children.setdefault(parent, set()).add(local)
    numbers: dict[str, str] = {}
    for parent, locals_ in children.items():
        if all(local.isdecimal() for local in locals_):
            ordered = enumerate(sorted(locals_, key=int))
            numbers |= {f"{parent}.{local}".lstrip("."): str(i) for i, local in ordered if local != str(i)}
    if not numbers:
        return graph, weights
    renaming = _Renaming(numbers)
    renamed = renaming.graph(graph)
    return renamed, {new: weights[old] for (old, _), (new, _) in zip(graph.weights(), renamed.weights(), strict=True)}


def _names(region: Scope) -> list[str]:
    """Every path of a layer or a part, those of the parts around it among them."""
    found: dict[str, None] = {}
    for item in region.items:
        if item.name:
            parts = item.name.split(".")
            found.update((".".join(parts[:end]), None) for end in range(1, len(parts) + 1))
        if isinstance(item, Scope):
            found.update(dict.fromkeys(_names(item)))
    return list(found)


class _Renaming:
    """A graph under other names. `numbers` gives paths the number that now is their last part."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers
        self.values: dict[Value, Value] = {}

    def graph(self, graph: Graph) -> Graph:
        body = self.region(graph.body)
        outputs = tuple(replace(output, value=self.value(output.value)) for output in graph.outputs)
        return replace(graph, body=body, outputs=outputs)

    def name(self, name: str) -> str:
        parts = name.split(".")
        paths = (".".join(parts[: end + 1]) for end in range(len(parts)))
        return ".".join(self.numbers.get(path, part) for path, part in zip(paths, parts, strict=True))

    def value(self, value: Value) -> Value:
        return self.values.get(value, value)

    def region(self, region: Scope) -> Scope:
        items = tuple(self.region(item) if isinstance(item, Scope) else self.node(item) for item in region.items)
        return replace(
            region,
            name=self.name(region.name) if region.name else region.name,
            owner=self.name(region.owner) if region.owner else None,
            items=items,
            inputs=tuple(map(self.value, region.inputs)),
            outputs=tuple(map(self.value, region.outputs)),
        )

    def node(self, node: Node) -> Node:
        name = self.name(node.name)
        inputs = tuple(map(self.value, node.inputs))
        outputs = tuple(replace(value, name=name + value.name.removeprefix(node.name)) for value in node.outputs)
        self.values.update(zip(node.outputs, outputs, strict=True))
        owner = self.name(node.owner) if node.owner else None
        return replace(node, name=name, inputs=inputs, outputs=outputs, owner=owner)
