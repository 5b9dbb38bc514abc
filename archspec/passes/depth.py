"""Depth as papers count it: the layers that multiply by weights on the longest path through a network."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.ir.graph import Graph, Node, Value
from archspec.passes.cost import LayerCost


def depth(graph: Graph, costs: Mapping[Node, LayerCost]) -> int:
    """The depth at inference: ResNet-50 has 50. Normalization, per-channel scales and side paths do not count."""
    # Not `networkx.dag_longest_path`: a summary would import networkx (0.1 s) to save three lines.
    depths: dict[Value, int] = dict.fromkeys(graph.inputs, 0)
    for node in graph.nodes:
        before = max((depths[value] for value in node.inputs), default=0)
        weighted = bool(node.weights) and costs[node].macs > 0
        depths.update(dict.fromkeys(node.outputs, before + weighted))
    return max(depths[output.value] for output in graph.inference_outputs)
