"""Activation memory of one sample: the peak at inference, and what a training step keeps."""

from __future__ import annotations

from archspec.frozen import frozen
from archspec.ir.graph import Graph, Node


@frozen(enforced=True)
class Memory:
    """Bytes of activations for one sample.

    `peak` is the maximum that is alive at one time during inference, if each value is freed after its last reader and
    nothing is computed in place; `peak_at` is the layer that runs then. `total` is the sum over all outputs: about what
    training keeps for the backward pass.
    """

    peak: int
    peak_at: str
    total: int


def memory(graph: Graph) -> Memory:
    """The activation memory of a graph, by liveness.

    Nodes for training only count in the total alone, nodes that no output depends on nowhere.
    """
    run = [node for node in graph.nodes if node not in graph.unused]
    nodes = [node for node in run if node not in graph.training_only]
    # The last reader of each value, or the node that defines it if it has none.
    last = {value: node for node in nodes for value in (*node.outputs, *node.inputs)}
    returned = {output.value for output in graph.outputs}
    freed: dict[Node, int] = {}
    for value, node in last.items():
        if value not in returned:
            freed[node] = freed.get(node, 0) + value.type.bytes
    alive = peak = sum(value.type.bytes for value in graph.inputs)
    peak_at = ""
    for node in nodes:
        alive += sum([value.type.bytes for value in node.outputs])
        if alive > peak:
            peak, peak_at = alive, node.name
        alive -= freed.get(node, 0)
    total = sum([value.type.bytes for node in run for value in node.outputs])
    return Memory(peak, peak_at, total)
