"""Attention and matrix products in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, layer
from archspec.lower.text.code_model import Constant, function
from archspec.ops import attention


@RULES.rule(attention.MatMul)
def _matmul(op: attention.MatMul, node: Node) -> LayerCall:
    return LayerCall((function("matmul", "ops.matmul({all})"),))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(op: attention.MultiHeadAttention, node: Node) -> LayerCall:
    # Keras projects query, key and value by separate kernels, which have an axis for the heads. It takes the value
    # before the key.
    features = node.inputs[0].type.sizes[1]
    size = features // op.heads
    required: dict[str, Constant] = {"num_heads": op.heads, "key_dim": size}
    call = layer("MultiHeadAttention", required, {"dropout": (op.dropout, 0.0), "use_bias": (op.bias, True)})
    weights: list[WeightLayout] = []
    for entry in range(3):
        weights.append(WeightLayout("in_proj_weight", (2, 0, 1), (3, op.heads, size, features), entry))
        weights += [WeightLayout("in_proj_bias", None, (3, op.heads, size), entry)] * op.bias
    weights.append(WeightLayout("out_proj.weight", (1, 2, 0), (features, op.heads, size)))
    weights += [WeightLayout("out_proj.bias")] * op.bias
    inputs_template = "{0}, {2}, {1}" if len(node.inputs) == 3 else "{0}, {0}"
    return LayerCall((call,), tuple(weights), inputs_template=inputs_template)
