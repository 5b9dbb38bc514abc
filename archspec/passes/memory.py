"""Activation memory of one sample: what is alive at once, and what a training step keeps."""

from __future__ import annotations

from dataclasses import dataclass

from archspec.ir.graph import Graph, Node, Value


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of activations for one sample.

    `peak` is the most that is alive at once during inference when each value is dropped after its last reader and
    nothing is computed in place; `peak_at` is the layer that runs then. `total` is all outputs together: about what
    training keeps for the backward pass.
    """

    peak: int
    peak_at: str
    total: int


def memory(graph: Graph) -> Memory:
    """The activation memory of a graph, by liveness over its types; training-only nodes count in the total alone."""
    nodes = [node for node in graph.nodes if node not in graph.training_only]
    last: dict[Value, Node | None] = dict.fromkeys(graph.inputs)
    for node in nodes:
        for value in node.inputs:
            last[value] = node
    kept = {output.value for output in graph.outputs}
    alive = peak = sum(value.type.bytes for value in graph.inputs)
    peak_at = ""
    for node in nodes:
        alive += sum(value.type.bytes for value in node.outputs)
        if alive > peak:
            peak, peak_at = alive, node.name
        for value in dict.fromkeys((*node.inputs, *node.outputs)):
            if value not in kept and last.get(value, node) is node:
                alive -= value.type.bytes
    total = sum(value.type.bytes for node in graph.nodes for value in node.outputs)
    return Memory(peak, peak_at, total)
