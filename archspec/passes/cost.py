"""Parameters and arithmetic, per layer and of the whole network."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.frozen import frozen
from archspec.ir.graph import Graph, Node
from archspec.ir.operation import NO_COST, Cost


@frozen(enforced=True)
class LayerCost:
    """The cost of a layer or a network: elements of its weights, and arithmetic for one sample.

    `params` counts the elements of `parameters()` of its PyTorch module, `buffers` those of `buffers()`, including the
    `num_batches_tracked` of each batch normalization.
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
    """The cost of each node.

    Weights count where they are owned, so a node that shares them has none. A node that no output depends on never
    runs, so it has no arithmetic.
    """
    # Nodes of equal ops and types are common, and the front end makes their parts once. Looked up by identity they save
    # 9 % of loading ViT-B/16 and 8 % of YOLOX-X; comparing the parts by value would cost as much as it saves.
    unused = graph.unused
    known: dict[tuple[object, ...], LayerCost] = {}
    result: dict[Node, LayerCost] = {}
    for node in graph.nodes:
        types = [id(value.type) for value in node.inputs]
        runs = node not in unused
        key = (id(node.op), id(node.weights) if node.weights else 0, node.owner is None, runs, *types)
        cost = known.get(key)
        if cost is None:
            cost = known[key] = _cost(node, runs=runs)
        result[node] = cost
    return result


def total(graph: Graph, costs: Mapping[Node, LayerCost]) -> LayerCost:
    """The cost of a network: all its weights, and the arithmetic of inference, without layers for training only."""
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


def _cost(node: Node, *, runs: bool) -> LayerCost:
    params = trainable = buffers = bytes_ = 0
    for weight in node.weights if node.owner is None else ():
        elements = weight.elements
        bytes_ += elements * weight.dtype.bytes
        if weight.buffer:
            buffers += elements
        else:
            params += elements
            trainable += elements if weight.trainable else 0
    cost = node.op.cost(node.input_types, node.output_types) if runs else NO_COST
    return LayerCost(params, trainable, buffers, bytes_, cost)
