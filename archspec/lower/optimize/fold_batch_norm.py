"""Batch normalization becomes part of the layer before it."""

from __future__ import annotations

import numpy as np

from archspec.ir.graph import Graph, Node
from archspec.lower.optimize.rewriter import Rewrite, Weights, kept, readers
from archspec.ops import Op
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.linear import Linear
from archspec.ops.norm import BatchNorm, FrozenBatchNorm


def fold_batch_norm(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Fold batch normalization into the convolution or linear layer whose output it alone reads.

    At inference it is y = s (x - mean) + b with s = weight / sqrt(variance + eps), so the layer before it may as well
    have its weights times s, and the bias s (bias - mean) + b. Layers that share weights stay as they are.
    """
    rewrite = Rewrite(graph)
    reading = readers(graph)
    makers = {value: node for node in graph.nodes for value in node.outputs}
    returned = {output.value for output in graph.outputs}
    shared = {name for node in graph.nodes if node.owner for name in (node.name, node.owner)}
    folded = dict(weights)
    for norm in graph.nodes:
        if not isinstance(norm.op, BatchNorm | FrozenBatchNorm):
            continue
        (value,) = norm.inputs
        layer = makers.get(value)
        alone = value not in returned and len(reading[value]) == 1
        if layer is None or not alone or {layer.name, norm.name} & shared or not _foldable(layer):
            continue
        assert isinstance(layer.op, Op)
        rewrite.change(layer, layer.op.model_copy(update={"bias": True}))
        rewrite.leave_out(norm)
        rewrite.instead(norm.outputs[0], value)
        folded |= _merged(layer, norm, weights)
    lean = rewrite.done()
    return lean, kept(lean, folded)


def _foldable(layer: Node) -> bool:
    """Whether axis 1 of what a layer makes is the axis its weights make."""
    if isinstance(layer.op, Linear):
        return len(layer.outputs[0].type.sizes) == 1
    return isinstance(layer.op, Conv | ConvTranspose)


def _merged(layer: Node, norm: Node, weights: Weights) -> Weights:
    """The weight and the bias of a layer that does the normalization after it as well, computed in float64."""
    assert isinstance(norm.op, BatchNorm | FrozenBatchNorm)
    of = {name: weights[f"{norm.name}.{name}"].astype(np.float64) for name in (weight.name for weight in norm.weights)}
    scale = of.get("weight", 1.0) / np.sqrt(of["running_var"] + norm.op.eps)
    weight = weights[f"{layer.name}.weight"]
    if isinstance(layer.op, ConvTranspose):  # (inputs, outputs / groups, ...): each group has outputs of its own
        groups = layer.op.groups
        per_input = np.repeat(scale.reshape(groups, -1), weight.shape[0] // groups, axis=0)
        factor = per_input.reshape(*per_input.shape, *(1 for _ in weight.shape[2:]))
    else:
        factor = scale.reshape(-1, *(1 for _ in weight.shape[1:]))
    bias = weights.get(f"{layer.name}.bias", np.zeros(1)).astype(np.float64)
    shifted = (bias - of["running_mean"]) * scale + of.get("bias", 0.0)
    return {
        f"{layer.name}.weight": (weight * factor).astype(weight.dtype),
        f"{layer.name}.bias": shifted.astype(weight.dtype),
    }
