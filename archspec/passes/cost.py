"""Parameters and arithmetic, per layer and in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.ir.graph import Graph, Node
from archspec.ir.operation import NO_COST, Cost


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What a layer, or a network, holds and does: elements of its weights, and arithmetic for one sample.

    `params` counts what a PyTorch module's `parameters()` do, `buffers` what its `buffers()` do, the number of batches
    each batch normalization has seen among them.
    """

    params: int = 0
    trainable_params: int = 0
    buffers: int = 0
    weight_bytes: int = 0
    cost: Cost = NO_COST

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return self.cost.macs


def costs(graph: Graph) -> dict[Node, LayerCost]:
    """The cost of each node. Weights count where they are owned, so a node that shares has none."""
    known: dict[tuple[object, ...], LayerCost] = {}
    found: dict[Node, LayerCost] = {}
    for node in graph.nodes:
        types = [id(value.type) for value in node.inputs]
        key = (id(node.op), id(node.weights) if node.weights else 0, node.owner is None, *types)
        cost = known.get(key)
        if cost is None:
            cost = known[key] = _cost(node)
        found[node] = cost
    return found


def total(graph: Graph, costs: Mapping[Node, LayerCost]) -> LayerCost:
    """The cost of a network: all its weights, and the arithmetic of inference, without what only training runs."""
    params = trainable = buffers = bytes_ = macs = dot_products = 0
    other: dict[str, int] = {}
    for node in graph.nodes:
        cost = costs[node]
        params += cost.params
        trainable += cost.trainable_params
        buffers += cost.buffers
        bytes_ += cost.weight_bytes
        if node not in graph.training_only:
            macs += cost.cost.macs
            dot_products += cost.cost.dot_products
            for name, count in cost.cost.other.items():
                other[name] = other.get(name, 0) + count
    return LayerCost(params, trainable, buffers, bytes_, Cost(macs, dot_products, other))


def _cost(node: Node) -> LayerCost:
    op, inputs, outputs = node.op, node.input_types, node.output_types
    params = trainable = buffers = bytes_ = 0
    for weight in node.weights if node.owner is None else ():
        elements = weight.elements
        bytes_ += elements * weight.dtype.bytes
        if weight.buffer:
            buffers += elements
        else:
            params += elements
            trainable += elements if weight.trainable else 0
    return LayerCost(params, trainable, buffers, bytes_, op.cost(inputs, outputs))
