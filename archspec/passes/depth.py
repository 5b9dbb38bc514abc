"""Depth as papers count it: the layers that multiply by weights on the longest way through a network."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.ir.graph import Graph, Node, Value
from archspec.passes.cost import LayerCost


def depth(graph: Graph, costs: Mapping[Node, LayerCost]) -> int:
    """The depth at inference: ResNet-50 has 50. Normalization and per-channel scales do not count, nor side paths."""
    behind: dict[Value, int] = dict.fromkeys(graph.inputs, 0)
    for node in graph.nodes:
        before = max((behind[value] for value in node.inputs), default=0)
        weighted = bool(node.weights) and costs[node].macs > 0
        behind.update(dict.fromkeys(node.outputs, before + weighted))
    return max(behind[output.value] for output in graph.inference_outputs)
