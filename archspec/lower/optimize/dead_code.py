"""What inference has no use for is left out."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.ir.graph import Graph, Node, Scope
from archspec.lower.optimize.rewriter import Rewrite, Weights, kept
from archspec.ops import Op


def drop_training_only(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Leave out the sides that run only while training, with their outputs and the weights that nothing else shares."""
    rewrite = Rewrite(graph)
    for side in _sides(graph.body):
        rewrite.leave_out(side)
    lean = rewrite.done()
    return lean, kept(lean, weights, rewrite.heirs)


def drop_identities(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Leave out what hands its input on unchanged: identities, and dropout in all its forms.

    One whose input is an input of the network and whose output the network returns stays, so that every output is made
    by a layer.
    """
    rewrite = Rewrite(graph)
    returned = {output.value for output in graph.outputs}
    given = set(graph.inputs)
    for node in graph.nodes:
        if not _inert(node):
            continue
        (value,), (output,) = node.inputs, node.outputs
        if value in given and output in returned:
            continue
        rewrite.leave_out(node)
        rewrite.instead(output, value)
        if value in given:
            given.add(output)
        if output in returned:
            returned.add(value)
    return rewrite.done(), weights


def _inert(node: Node) -> bool:
    return isinstance(node.op, Op) and node.op.identity_at_inference


def _sides(region: Scope) -> Iterator[Scope]:
    for item in region.items:
        if isinstance(item, Scope):
            if item.training_only:
                yield item
            else:
                yield from _sides(item)
