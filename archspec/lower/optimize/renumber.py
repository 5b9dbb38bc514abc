"""Renumbering layers after others were removed, so that an `nn.Sequential` remains one."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.weights import Weights


def close_gaps(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Renumber the children of every scope whose children are all numbered: 0, 2, 3 become 0, 1, 2.

    The layers and their weights get new names.
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
    renamed = _Renumbering(numbers).graph(graph)
    return renamed, {new: weights[old] for (old, _), (new, _) in zip(graph.weights(), renamed.weights(), strict=True)}


def _names(scope: Scope) -> list[str]:
    """Every path of a layer or a scope, with the paths of the scopes around it."""
    paths: dict[str, None] = {}
    for item in scope.items:
        if item.name:
            parts = item.name.split(".")
            paths.update((".".join(parts[:end]), None) for end in range(1, len(parts) + 1))
        if isinstance(item, Scope):
            paths.update(dict.fromkeys(_names(item)))
    return list(paths)


class _Renumbering:
    """Renames layers and scopes. `numbers` has the new last component of each path that changes."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers
        self.values: dict[Value, Value] = {}

    def graph(self, graph: Graph) -> Graph:
        body = self.scope(graph.body)
        outputs = tuple(replace(output, value=self.value(output.value)) for output in graph.outputs)
        return replace(graph, body=body, outputs=outputs)

    def name(self, name: str) -> str:
        parts = name.split(".")
        paths = (".".join(parts[: end + 1]) for end in range(len(parts)))
        return ".".join(self.numbers.get(path, part) for path, part in zip(paths, parts, strict=True))

    def value(self, value: Value) -> Value:
        return self.values.get(value, value)

    def scope(self, scope: Scope) -> Scope:
        items = tuple(self.scope(item) if isinstance(item, Scope) else self.node(item) for item in scope.items)
        return replace(
            scope,
            name=self.name(scope.name) if scope.name else scope.name,
            owner=self.name(scope.owner) if scope.owner else None,
            items=items,
            inputs=tuple(map(self.value, scope.inputs)),
            outputs=tuple(map(self.value, scope.outputs)),
        )

    def node(self, node: Node) -> Node:
        name = self.name(node.name)
        inputs = tuple(map(self.value, node.inputs))
        outputs = tuple(replace(value, name=name + value.name.removeprefix(node.name)) for value in node.outputs)
        self.values.update(zip(node.outputs, outputs, strict=True))
        owner = self.name(node.owner) if node.owner else None
        return replace(node, name=name, inputs=inputs, outputs=outputs, owner=owner)
