"""Merging zero padding into the convolution after it."""

from __future__ import annotations

from archspec.ir.graph import Graph, Node
from archspec.lower.optimize.rewriter import GraphRewriter, readers
from archspec.lower.weights import Weights
from archspec.ops.conv import Conv
from archspec.ops.spatial import Pad


def merge_padding(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Remove a `pad` with zeros that only convolutions read, and add its padding to theirs."""
    rewriter = GraphRewriter(graph)
    reading = readers(graph)
    returned = {output.value for output in graph.outputs}
    for node in graph.nodes:
        if not _is_zero_pad(node):
            continue
        (padded,) = node.outputs
        convs = reading.get(padded, [])
        if padded in returned or not convs or not all(map(_has_fixed_padding, convs)):
            continue
        for conv in convs:
            rewriter.change_op(conv, _with_padding(conv, node))
        rewriter.replace_uses(padded, node.inputs[0])
        rewriter.remove(node)
    return rewriter.rewritten(), weights


def _has_fixed_padding(node: Node) -> bool:
    """Whether it is a convolution whose padding is zeros and does not depend on its input's size, as `same` does."""
    return (
        isinstance(node.op, Conv)
        and node.op.padding_mode == "zeros"
        and (node.op.padding != "same" or max(node.op.sliding(node.inputs[0].type).stride) == 1)
    )


def _is_zero_pad(node: Node) -> bool:
    return isinstance(node.op, Pad) and node.op.mode == "constant" and node.op.value == 0


def _with_padding(conv: Node, pad: Node) -> Conv:
    """The convolution with the padding of `pad` added to its own."""
    assert isinstance(conv.op, Conv)
    assert isinstance(pad.op, Pad)
    conv_pads, pads = conv.op.sliding(conv.inputs[0].type).pads, pad.op.pads(pad.inputs[0].type)
    padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(conv_pads, pads, strict=True))
    return conv.op.with_attributes(padding=padding)
