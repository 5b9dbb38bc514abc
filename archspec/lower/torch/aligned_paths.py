"""Paths that `align: center_crop` crops: the join crops all of them, so that each may be the larger one.

The graph has a crop for each path that is larger at the sizes of the graph. In the source, the join takes the place of
these crops.
"""

from __future__ import annotations

from collections.abc import Mapping

from archspec.ir.graph import Graph, Node, Value
from archspec.ops.merge import Join
from archspec.ops.spatial import AlignCrop


class AlignedPaths:
    """The joins of a graph that crop their inputs, and the crops before them."""

    def __init__(self, graph: Graph, readers: Mapping[Value, int]) -> None:
        """Find them; `readers` counts the uses of each value."""
        self._readers = readers
        self._joins = {
            value: node for node in graph.nodes if isinstance(node.op, Join) and node.op.crops for value in node.inputs
        }
        crops = (node for node in graph.nodes if isinstance(node.op, AlignCrop))
        self._uncropped = {node.outputs[0]: node.inputs[0] for node in crops if node.outputs[0] in self._joins}

    def crops_for_join_only(self, node: Node) -> bool:
        """Whether a node is a crop whose result only its join reads."""
        (output, *_) = node.outputs
        return output in self._uncropped and self._readers[output] == self._joins[output].inputs.count(output)

    def inputs(self, node: Node) -> tuple[Value, ...]:
        """What a node reads in the source: a join and a crop before it read all paths as they are."""
        if isinstance(node.op, Join) and node.op.crops:
            return tuple(self._uncropped.get(value, value) for value in node.inputs)
        if node.outputs[0] in self._uncropped:
            paths = self.inputs(self._joins[node.outputs[0]])
            return (*node.inputs, *(value for value in paths if value is not node.inputs[0]))
        return node.inputs
