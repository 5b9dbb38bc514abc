"""Freezing: a graph in which the weights of some layers are not trained."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics import did_you_mean, fail
from archspec.frozen import replace
from archspec.ir.graph import Graph, Node, Scope


def freeze(graph: Graph, names: Iterable[str]) -> Graph:
    """The graph with the weights of the layers and parts of these names frozen, which layers may share elsewhere.

    Raises:
        ArchspecError: `unknown-layer`, if a name is not that of a layer or a part with parameters.
    """
    wanted = dict.fromkeys(names)
    owners = [node.name for node in graph.nodes if node.owner is None and any(not each.buffer for each in node.weights)]
    for name in wanted:
        if not any(_is_inside(owner, name) for owner in owners):
            parts = dict.fromkeys(".".join(owner.split(".")[:end]) for owner in owners for end in range(1, 9))
            help = did_you_mean(name, parts)
            raise fail("unknown-layer", f"there is no layer or part '{name}' with weights to freeze", help=help)
    frozen = {owner for owner in owners if any(_is_inside(owner, name) for name in wanted)}

    def rewritten(item: Node | Scope) -> Node | Scope:
        if isinstance(item, Scope):
            return replace(item, items=tuple(map(rewritten, item.items)))
        if (item.owner or item.name) not in frozen:
            return item
        return item.with_weights(tuple(replace(weight, trainable=False) for weight in item.weights), item.owner)

    body = rewritten(graph.body)
    assert isinstance(body, Scope)
    return replace(graph, body=body)


def _is_inside(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")
