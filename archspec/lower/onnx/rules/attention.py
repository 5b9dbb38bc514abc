"""Attention and matrix products, in ONNX."""

from __future__ import annotations

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.attention import MatMul, MultiHeadAttention


@RULES.rule(MatMul)
def matmul(op: MatMul, emit: Emit) -> str:
    """MatMul."""
    return emit.last("MatMul", *emit.inputs)


@RULES.rule(MultiHeadAttention)
def multi_head_attention(op: MultiHeadAttention, emit: Emit) -> str:
    """Four linear maps, and two products with a Softmax between: `Attention` is as young as opset 23."""
    positions, features = emit.output.sizes
    query, key, value = (_heads(op, emit, part) for part in range(3))
    keys, width = emit.node.inputs[-1].type.sizes[0], features // op.heads
    queries = emit.output.with_sizes(op.heads, positions, width)
    scores = emit.output.with_sizes(op.heads, positions, keys)
    query = emit.step("scaled", "Mul", query, emit.numbers("scale", width**-0.5), type=queries)
    score = emit.step("score", "MatMul", query, key, type=scores)
    weight = emit.step("weight", "Softmax", score, type=scores, axis=-1)
    found = emit.step("found", "MatMul", weight, value, type=queries)
    turned = emit.output.with_sizes(positions, op.heads, width)
    found = emit.step("positions", "Transpose", found, type=turned, perm=(0, 2, 1, 3))
    found = emit.step("joined", "Reshape", found, emit.integers("shape", (0, positions, features)), type=emit.output)
    last, *bias = emit.weights("out_proj.weight", "out_proj.bias")
    matrix = emit.form("matrix", "Transpose", last, shape=(features, features), perm=(1, 0))
    if not bias:
        return emit.last("MatMul", found, matrix)
    return emit.last("Add", emit.step("product", "MatMul", found, matrix, type=emit.output), *bias)


_PARTS = ("query", "key", "value")


def _heads(op: MultiHeadAttention, emit: Emit, part: int) -> str:
    """One of query, key and value, through its share of the weight, with the heads before the positions.

    Keys are turned round: features before positions.
    """
    label, own = _PARTS[part], part if len(emit.inputs) == 3 else 0
    tensor = emit.node.inputs[own].type
    positions, features = tensor.sizes
    weight, *bias = emit.weights("in_proj_weight", "in_proj_bias")
    matrix = emit.form(
        f"{label}_matrix",
        "Transpose",
        _share(emit, f"{label}_weight", weight, part, (features, features)),
        shape=(features, features),
        perm=(1, 0),
    )
    value = emit.step(label, "MatMul", emit.inputs[own], matrix, type=tensor)
    if bias:
        shift = _share(emit, f"{label}_bias", bias[0], part, (features,))
        value = emit.step(f"{label}_shifted", "Add", value, shift, type=tensor)
    width = features // op.heads
    cut = tensor.with_sizes(positions, op.heads, width)
    shape = emit.integers("shape", (0, *cut.sizes))
    value = emit.step(f"{label}_cut", "Reshape", value, shape, type=cut)
    heads, perm = _turned(op.heads, positions, width, keys=label == "key")
    return emit.step(f"{label}_heads", "Transpose", value, type=heads, perm=perm)


def _turned(heads: int, positions: int, width: int, *, keys: bool) -> tuple[TensorType, tuple[int, ...]]:
    """The type of heads, and how the axes (N, positions, heads, width) become it."""
    if keys:
        return TensorType((heads, width, positions)), (0, 2, 3, 1)
    return TensorType((heads, positions, width)), (0, 2, 1, 3)


def _share(emit: Emit, label: str, weight: str, part: int, shape: tuple[int, ...]) -> str:
    """The rows of a weight that belong to the query, the key or the value."""
    rows = shape[0]
    bounds = [emit.integers(name, [at]) for name, at in (("starts", part * rows), ("ends", (part + 1) * rows))]
    return emit.form(label, "Slice", weight, *bounds, emit.integers("axes", [0]), shape=shape)
