"""Attention and matrix products in ONNX."""

from __future__ import annotations

from archspec.ir.types import TensorType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.attention import MatMul, MultiHeadAttention


@RULES.rule(MatMul)
def matmul(op: MatMul, b: OnnxBuilder) -> str:
    """MatMul."""
    return b.result("MatMul", *b.inputs)


@RULES.rule(MultiHeadAttention)
def multi_head_attention(op: MultiHeadAttention, b: OnnxBuilder) -> str:
    """Four projections, and two MatMuls with a Softmax in between: `Attention` exists only from opset 23 on."""
    positions, features = b.output_type.sizes
    query, key, value = (_heads(op, b, part) for part in range(3))
    keys, width = b.node.inputs[-1].type.sizes[0], features // op.heads
    queries = b.output_type.with_sizes(op.heads, positions, width)
    scores = b.output_type.with_sizes(op.heads, positions, keys)
    query = b.step("scaled", "Mul", query, b.floats("scale", width**-0.5), type=queries)
    score = b.step("score", "MatMul", query, key, type=scores)
    weight = b.step("weight", "Softmax", score, type=scores, axis=-1)
    context = b.step("found", "MatMul", weight, value, type=queries)
    transposed = b.output_type.with_sizes(positions, op.heads, width)
    context = b.step("positions", "Transpose", context, type=transposed, perm=(0, 2, 1, 3))
    context = b.step(
        "joined", "Reshape", context, b.shape("shape", transposed, (positions, features)), type=b.output_type
    )
    projection, *bias = b.weights("out_proj.weight", "out_proj.bias")
    matrix = b.unbatched_step("matrix", "Transpose", projection, shape=(features, features), perm=(1, 0))
    if not bias:
        return b.result("MatMul", context, matrix)
    return b.result("Add", b.step("product", "MatMul", context, matrix, type=b.output_type), *bias)


_PARTS = ("query", "key", "value")


def _heads(op: MultiHeadAttention, b: OnnxBuilder, part: int) -> str:
    """The projection of query, key or value (part 0, 1 or 2), as (N, heads, positions, width).

    Keys are transposed for the product: (N, heads, width, positions).
    """
    label, source = _PARTS[part], part if len(b.inputs) == 3 else 0
    tensor = b.node.inputs[source].type
    positions, features = tensor.sizes
    weight, *bias = b.weights("in_proj_weight", "in_proj_bias")
    matrix = b.unbatched_step(
        f"{label}_matrix",
        "Transpose",
        _rows(b, f"{label}_weight", weight, part, (features, features)),
        shape=(features, features),
        perm=(1, 0),
    )
    value = b.step(label, "MatMul", b.inputs[source], matrix, type=tensor)
    if bias:
        shift = _rows(b, f"{label}_bias", bias[0], part, (features,))
        value = b.step(f"{label}_shifted", "Add", value, shift, type=tensor)
    width = features // op.heads
    split = tensor.with_sizes(positions, op.heads, width)
    shape = b.shape("shape", tensor, split.sizes)
    value = b.step(f"{label}_cut", "Reshape", value, shape, type=split)
    heads, perm = _head_axes(op.heads, positions, width, keys=label == "key")
    return b.step(f"{label}_heads", "Transpose", value, type=heads, perm=perm)


def _head_axes(heads: int, positions: int, width: int, *, keys: bool) -> tuple[TensorType, tuple[int, ...]]:
    """The type of the heads, and the permutation of (N, positions, heads, width) that gives it."""
    if keys:
        return TensorType((heads, width, positions)), (0, 2, 3, 1)
    return TensorType((heads, positions, width)), (0, 2, 1, 3)


def _rows(b: OnnxBuilder, label: str, weight: str, part: int, shape: tuple[int, ...]) -> str:
    """The rows of a weight for one of query, key and value; `shape` is that of the result."""
    rows = shape[0]
    bounds = [b.integers(name, [bound]) for name, bound in (("starts", part * rows), ("ends", (part + 1) * rows))]
    return b.unbatched_step(label, "Slice", weight, *bounds, b.integers("axes", [0]), shape=shape)
