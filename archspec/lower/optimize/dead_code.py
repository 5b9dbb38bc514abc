"""Removing what inference does not need: training-only branches and identities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archspec.ir.graph import Graph, Node, Scope
from archspec.lower.optimize.rewriter import GraphRewriter, remaining_weights
from archspec.lower.weights import Weights
from archspec.ops import Op


def drop_training_only(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Remove the sides that run only in training, with their outputs and the weights that no other layer shares."""
    rewriter = GraphRewriter(graph)
    for side in _training_only_sides(graph.body):
        rewriter.remove(side)
    result = rewriter.rewritten()
    result = replace(result, size_reads=tuple(read for read in result.size_reads if not read.training_only))
    return result, remaining_weights(result, weights, rewriter.new_owners)


def drop_identities(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Remove the layers that return their input unchanged at inference: identities, and dropout in all its forms.

    A layer from an input of the network to one of its outputs is kept, so that a layer computes every output.
    """
    rewriter = GraphRewriter(graph)
    returned = {output.value for output in graph.outputs}
    network_inputs = set(graph.inputs)
    for node in graph.nodes:
        if not _is_identity(node):
            continue
        (value,), (output,) = node.inputs, node.outputs
        if value in network_inputs and output in returned:
            continue
        rewriter.remove(node)
        rewriter.replace_uses(output, value)
        if value in network_inputs:
            network_inputs.add(output)
        if output in returned:
            returned.add(value)
    return rewriter.rewritten(), weights


def _is_identity(node: Node) -> bool:
    return isinstance(node.op, Op) and node.op.identity_at_inference


def _training_only_sides(scope: Scope) -> Iterator[Scope]:
    for item in scope.items:
        if isinstance(item, Scope):
            if item.training_only:
                yield item
            else:
                yield from _training_only_sides(item)
