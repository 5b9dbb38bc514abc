"""Attention in Keras, and the product of matrices it is made of."""

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
    # Keras has a map each for query, key and value, with an axis for the heads, and takes the value before the key.
    features = node.inputs[0].type.sizes[1]
    size = features // op.heads
    required: dict[str, Constant] = {"num_heads": op.heads, "key_dim": size}
    made = layer("MultiHeadAttention", required, {"dropout": (op.dropout, 0.0), "use_bias": (op.bias, True)})
    holds: list[WeightLayout] = []
    for entry in range(3):
        holds.append(WeightLayout("in_proj_weight", (2, 0, 1), (3, op.heads, size, features), entry))
        holds += [WeightLayout("in_proj_bias", None, (3, op.heads, size), entry)] * op.bias
    holds.append(WeightLayout("out_proj.weight", (1, 2, 0), (features, op.heads, size)))
    holds += [WeightLayout("out_proj.bias")] * op.bias
    given = "{0}, {2}, {1}" if len(node.inputs) == 3 else "{0}, {0}"
    return LayerCall((made,), tuple(holds), given=given)
