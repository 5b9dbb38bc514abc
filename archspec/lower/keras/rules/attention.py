"""Attention in Keras, and the product of matrices it is made of."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import LayerCall, WeightLayout, family, layer
from archspec.lower.text.code_model import Constant, function
from archspec.ops import attention

RULES = family("attention")


@RULES.rule(attention.MatMul)
def _matmul(node: Node) -> LayerCall:
    return LayerCall((function("matmul", "ops.matmul({all})"),))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(node: Node) -> LayerCall:
    # Keras has a map each for query, key and value, with an axis for the heads, and takes the value before the key.
    op, features = node.op, node.inputs[0].type.sizes[1]
    assert isinstance(op, attention.MultiHeadAttention)
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
