"""Folding batch normalization into the layer before it."""

from __future__ import annotations

import numpy as np

from archspec.ir.graph import Graph, Node
from archspec.lower.optimize.rewriter import GraphRewriter, readers, remaining_weights
from archspec.lower.weights import Weights
from archspec.ops import Op
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.linear import Linear
from archspec.ops.norm import BatchNorm, FrozenBatchNorm


def fold_batch_norm(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Fold batch normalization into a convolution or linear layer whose output nothing else reads.

    At inference it computes y = s (x - mean) + b with s = weight / sqrt(variance + eps). So the layer before it gets
    its weights times s, and the bias s (bias - mean) + b. Layers that share weights are not changed.
    """
    rewriter = GraphRewriter(graph)
    reading = readers(graph)
    producers = {value: node for node in graph.nodes for value in node.outputs}
    returned = {output.value for output in graph.outputs}
    shared = {name for node in graph.nodes if node.owner for name in (node.name, node.owner)}
    folded = dict(weights)
    for norm in graph.nodes:
        if not isinstance(norm.op, BatchNorm | FrozenBatchNorm):
            continue
        (value,) = norm.inputs
        layer = producers.get(value)
        only_reader = value not in returned and len(reading[value]) == 1
        if layer is None or not only_reader or {layer.name, norm.name} & shared or not _foldable(layer):
            continue
        assert isinstance(layer.op, Op)
        rewriter.change_op(layer, layer.op.with_attributes(bias=True))
        rewriter.remove(norm)
        rewriter.replace_uses(norm.outputs[0], value)
        folded |= _folded_weights(layer, norm, weights)
    result = rewriter.rewritten()
    return result, remaining_weights(result, folded)


def _foldable(layer: Node) -> bool:
    """Whether axis 1 of a layer's output is the axis of its output features."""
    if isinstance(layer.op, Linear):
        return len(layer.outputs[0].type.sizes) == 1
    return isinstance(layer.op, Conv | ConvTranspose)


def _folded_weights(layer: Node, norm: Node, weights: Weights) -> Weights:
    """The weight and the bias of a layer with the normalization folded in, computed in float64."""
    assert isinstance(norm.op, BatchNorm | FrozenBatchNorm)
    values = {weight.name: weights[f"{norm.name}.{weight.name}"].astype(np.float64) for weight in norm.weights}
    scale = values.get("weight", 1.0) / np.sqrt(values["running_var"] + norm.op.eps)
    weight = weights[f"{layer.name}.weight"]
    if isinstance(layer.op, ConvTranspose):  # (inputs, outputs / groups, ...): each group has its own outputs
        groups = layer.op.groups
        per_input = np.repeat(scale.reshape(groups, -1), weight.shape[0] // groups, axis=0)
        factor = per_input.reshape(*per_input.shape, *(1 for _ in weight.shape[2:]))
    else:
        factor = scale.reshape(-1, *(1 for _ in weight.shape[1:]))
    bias = weights.get(f"{layer.name}.bias", np.zeros(1)).astype(np.float64)
    shifted = (bias - values["running_mean"]) * scale + values.get("bias", 0.0)
    return {
        f"{layer.name}.weight": (weight * factor).astype(weight.dtype),
        f"{layer.name}.bias": shifted.astype(weight.dtype),
    }
