"""Zeros around the input of a convolution become its own padding."""

from __future__ import annotations

from archspec.ir.graph import Graph, Node
from archspec.lower.optimize.rewriter import Rewrite, Weights, readers
from archspec.ops.conv import Conv
from archspec.ops.spatial import Pad


def merge_padding(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Leave out a `pad` with zeros that nothing but convolutions read, and let these pad as much more themselves."""
    rewrite = Rewrite(graph)
    reading = readers(graph)
    returned = {output.value for output in graph.outputs}
    for node in graph.nodes:
        if not _zeros(node):
            continue
        (padded,) = node.outputs
        convs = reading.get(padded, [])
        if padded in returned or not convs or not all(isinstance(conv.op, Conv) for conv in convs):
            continue
        for conv in convs:
            rewrite.change(conv, _padded(conv, node))
        rewrite.instead(padded, node.inputs[0])
        rewrite.leave_out(node)
    return rewrite.done(), weights


def _zeros(node: Node) -> bool:
    return isinstance(node.op, Pad) and node.op.mode == "constant" and node.op.value == 0


def _padded(conv: Node, pad: Node) -> Conv:
    """The convolution with the rows of `pad` added to its own."""
    assert isinstance(conv.op, Conv)
    assert isinstance(pad.op, Pad)
    own, more = conv.op.sliding(conv.inputs[0].type).pads, pad.op.pads(pad.inputs[0].type)
    both = tuple((a + c, b + d) for (a, b), (c, d) in zip(own, more, strict=True))
    return conv.op.model_copy(update={"padding": both})
