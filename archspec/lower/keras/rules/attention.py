"""Attention and matrix products in Keras."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer, layer
from archspec.lower.text.code_model import Constant, Options, function
from archspec.ops import attention


@RULES.rule(attention.MatMul)
def _matmul(op: attention.MatMul, node: Node) -> LayerCall:
    return LayerCall((function("matmul", "ops.matmul({all})"),))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(op: attention.MultiHeadAttention, node: Node) -> LayerCall:
    """Keras' own layer, or a helper for what it does not have: its causal mask reads the size of the wrong axis."""
    *outer, _, features = node.inputs[0].type.sizes
    if op.mask or op.relative_bias is not None or (op.causal and outer):
        return _helper(op, node)
    # Keras projects query, key and value by separate kernels, which have an axis for the heads. It takes the value
    # before the key.
    size = features // op.heads
    required: dict[str, Constant] = {"num_heads": op.heads, "key_dim": size}
    optional: Options = {"dropout": (op.dropout, 0.0), "use_bias": (op.bias, True)}
    if outer:
        optional = {**optional, "attention_axes": ((1 + len(outer),), None)}
    weights: list[WeightLayout] = []
    for entry, name in enumerate("qkv"):
        weights.append(_projection(node, entry, name, (op.heads, size)))
        weights += [WeightLayout("in_proj_bias", None, (3, op.heads, size), entry)] * op.bias
    weights.append(WeightLayout("out_proj.weight", (1, 2, 0), (features, op.heads, size)))
    weights += [WeightLayout("out_proj.bias")] * op.bias
    inputs = {1: "{0}, {0}", 2: "{0}, {1}", 3: "{0}, {2}, {1}"}[len(node.inputs)]
    inputs += ", use_causal_mask=True" * op.causal
    return LayerCall((layer("MultiHeadAttention", required, optional),), tuple(weights), inputs_template=inputs)


def _projection(node: Node, entry: int, name: str, heads: tuple[int, int]) -> WeightLayout:
    """The kernel of the projection to query, key or value (entry 0, 1 or 2): (features, heads, numbers)."""
    shapes = {weight.name: weight.shape for weight in node.weights}
    separate = f"{name}_proj_weight"
    if separate in shapes:
        return WeightLayout(separate, (2, 0, 1), (*heads, shapes[separate][1]))
    return WeightLayout("in_proj_weight", (2, 0, 1), (3, *heads, shapes["in_proj_weight"][1]), entry)


def _helper(op: attention.MultiHeadAttention, node: Node) -> LayerCall:
    required: dict[str, Constant] = {"num_heads": op.heads}
    optional: Options = {
        "use_bias": (op.bias, True), "dropout": (op.dropout, 0.0), "causal": (op.causal, False),
        "masked": (op.mask, False), "window": (op.relative_bias, None),
    }  # fmt: skip
    return helper_layer("Attention", required, optional, tuple(_layouts(op, node)))


def _layouts(op: attention.MultiHeadAttention, node: Node) -> Iterator[WeightLayout]:
    """The kernels, then the biases, and the table of a relative bias; its index comes last, as it is not trained."""
    features = node.inputs[0].type.sizes[-1]
    is_relative = op.relative_bias is not None
    packed, last = ("qkv.", "proj.") if is_relative else ("in_proj_", "out_proj.")
    separate = [weight.name for weight in node.weights if weight.name[1:] == "_proj_weight"]
    if separate:
        yield from map(WeightLayout, separate)
    else:
        yield from (WeightLayout(f"{packed}weight", None, (3, features, features), entry) for entry in range(3))
    yield WeightLayout(f"{last}weight")
    if op.bias:
        yield from (WeightLayout(f"{packed}bias", None, (3, features), entry) for entry in range(3))
        yield WeightLayout(f"{last}bias")
    if is_relative:
        yield from map(WeightLayout, ("relative_position_bias_table", "relative_position_index"))
