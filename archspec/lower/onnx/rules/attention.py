"""Attention and matrix products in ONNX."""

from __future__ import annotations

from math import prod

import numpy as np

from archspec.ir.types import DType, TensorType
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import OnnxBuilder, ValueInfo
from archspec.lower.onnx.rules.common import BOOL, RULES
from archspec.ops.attention import MatMul, MultiHeadAttention


@RULES.rule(MatMul)
def matmul(op: MatMul, b: OnnxBuilder) -> str:
    """MatMul."""
    return b.result("MatMul", *b.inputs)


@RULES.rule(MultiHeadAttention)
def multi_head_attention(op: MultiHeadAttention, b: OnnxBuilder) -> str:
    """Four projections, and two MatMuls with a Softmax in between: `Attention` exists only from opset 23 on."""
    *outer, positions, features = b.output_type.sizes
    query, key, value = (_heads(op, b, part) for part in range(3))
    keys, width = op.roles(b.node.input_types)[1].sizes[-2], features // op.heads
    queries = b.output_type.with_sizes(*outer, op.heads, positions, width)
    scores = b.output_type.with_sizes(*outer, op.heads, positions, keys)
    query = b.step("scaled", "Mul", query, b.floats("scale", width**-0.5), type=queries)
    score = b.step("score", "MatMul", query, key, type=scores)
    if op.relative_bias is not None:
        score = b.step("biased", "Add", score, _relative_bias(op, b, positions), type=scores)
    weight = _weights(op, b, score, scores)
    context = b.step("found", "MatMul", weight, value, type=queries)
    transposed = b.output_type.with_sizes(*outer, positions, op.heads, width)
    context = b.step("positions", "Transpose", context, type=transposed, perm=_swapped(len(outer)))
    shape = b.shape("shape", transposed, b.output_type.sizes)
    context = b.step("joined", "Reshape", context, shape, type=b.output_type)
    names = ("out_proj", "proj")[op.relative_bias is not None]
    projection, *bias = b.weights(f"{names}.weight", f"{names}.bias")
    matrix = b.unbatched_step("matrix", "Transpose", projection, shape=(features, features), perm=(1, 0))
    if not bias:
        return b.result("MatMul", context, matrix)
    return b.result("Add", b.step("product", "MatMul", context, matrix, type=b.output_type), *bias)


def _swapped(outer: int, *, transposed: bool = False) -> tuple[int, ...]:
    """The permutation that swaps positions and heads, which follow the batch and the outer axes.

    The result has the numbers before the positions if it is transposed.
    """
    batch, first = tuple(range(1 + outer)), 1 + outer
    return (*batch, first + 1, first + 2, first) if transposed else (*batch, first + 1, first, first + 2)


_PARTS = ("query", "key", "value")


def _heads(op: MultiHeadAttention, b: OnnxBuilder, part: int) -> str:
    """The projection of query, key or value (part 0, 1 or 2), as (N, ..., heads, positions, width).

    Keys are transposed for the product: (N, ..., heads, width, positions).
    """
    label, source = _PARTS[part], op.roles(range(len(b.inputs)))[part]
    assert source is not None
    *outer, positions, own = b.node.inputs[source].type.sizes
    features = b.output_type.sizes[-1]
    weight, bias = _projection(op, b, part, (features, own))
    matrix = b.unbatched_step(f"{label}_matrix", "Transpose", weight, shape=(own, features), perm=(1, 0))
    tensor = b.output_type.with_sizes(*outer, positions, features)
    value = b.step(label, "MatMul", b.inputs[source], matrix, type=tensor)
    if bias is not None:
        value = b.step(f"{label}_shifted", "Add", value, bias, type=tensor)
    width = features // op.heads
    split = tensor.with_sizes(*outer, positions, op.heads, width)
    value = b.step(f"{label}_cut", "Reshape", value, b.shape("shape", tensor, split.sizes), type=split)
    transposed = label == "key"
    sizes = (width, positions) if transposed else (positions, width)
    perm = _swapped(len(outer), transposed=transposed)
    return b.step(f"{label}_heads", "Transpose", value, type=split.with_sizes(*outer, op.heads, *sizes), perm=perm)


def _projection(op: MultiHeadAttention, b: OnnxBuilder, part: int, shape: tuple[int, int]) -> tuple[str, str | None]:
    """The weight and the bias of the projection of one of query, key and value; `shape` is that of the weight."""
    label, features = _PARTS[part], shape[0]
    weights = b.weights("in_proj_weight", "qkv.weight")
    if weights:
        weight = _rows(b, f"{label}_weight", weights[0], part, shape)
    else:
        (weight,) = b.weights(f"{label[0]}_proj_weight")
    biases = b.weights("in_proj_bias", "qkv.bias")
    return weight, _rows(b, f"{label}_bias", biases[0], part, (features,)) if biases else None


def _rows(b: OnnxBuilder, label: str, weight: str, part: int, shape: tuple[int, ...]) -> str:
    """The rows of a weight for one of query, key and value; `shape` is that of the result."""
    rows = shape[0]
    bounds = [b.integers(name, [bound]) for name, bound in (("starts", part * rows), ("ends", (part + 1) * rows))]
    return b.unbatched_step(label, "Slice", weight, *bounds, b.integers("axes", [0]), shape=shape)


def _relative_bias(op: MultiHeadAttention, b: OnnxBuilder, positions: int) -> str:
    """The learned numbers of all pairs of positions: (heads, positions, positions)."""
    assert op.relative_bias is not None
    table, index = b.weights("relative_position_bias_table", "relative_position_index")
    shape = prod(op.relative_bias) ** 2, op.heads
    pairs = b.unbatched_step("pairs", "Gather", table, index, shape=shape, axis=0)
    turned = b.unbatched_step("turned", "Transpose", pairs, shape=shape[::-1], perm=(1, 0))
    whole = op.heads, positions, positions
    return b.unbatched_step("bias", "Reshape", turned, b.integers("shape", whole), shape=whole)


_LOWEST = float(np.finfo(np.float32).min)


def _weights(op: MultiHeadAttention, b: OnnxBuilder, score: str, scores: TensorType) -> str:
    """The Softmax of the scores that are not masked, as type `scores`, and 0 for others."""
    seen = _causal(b, *scores.sizes[-2:]) if op.causal else None
    if op.mask:
        tensor = b.node.inputs[-1].type
        mask = b.truth("mask", "Cast", b.inputs[-1], type=tensor, to=BOOL)
        if len(tensor.sizes) < len(scores.sizes):
            axis = len(tensor.sizes) - 1
            tensor = tensor.with_sizes(*tensor.sizes[: axis - 1], 1, *tensor.sizes[axis - 1 :])
            mask = b.truth("mask_of_heads", "Unsqueeze", mask, b.integers("axes", [axis]), type=tensor)
        if seen is not None:
            seen = b.truth(
                "mask_before", "And", mask, seen, type=tensor.with_sizes(*tensor.sizes[:-2], *scores.sizes[-2:])
            )
        else:
            seen = mask
    if seen is None:
        return b.step("weight", "Softmax", score, type=scores, axis=-1)
    score = b.step("masked", "Where", seen, score, b.floats("lowest", _LOWEST), type=scores)
    weight = b.step("weight", "Softmax", score, type=scores, axis=-1)
    if not op.mask:  # each query attends to the first key at least
        return weight
    return b.step("seen", "Where", seen, weight, b.floats("zero", 0.0), type=scores)


def _causal(b: OnnxBuilder, queries: int, keys: int) -> str:
    """Whether a key is not after a query, as truth values: (queries, keys)."""
    rows, columns = (_numbers(b, label, size) for label, size in (("queries", queries), ("keys", keys)))
    rows = b.unbatched_step("rows", "Unsqueeze", rows, b.integers("axes", [1]), shape=(queries, 1), dtype=DType.INT64)
    name = f"{b.node.name}/before"
    b.add_node(name, "GreaterOrEqual", (rows, columns), (ValueInfo(name, (queries, keys), None),), {})
    return name


def _numbers(b: OnnxBuilder, label: str, size: int) -> str:
    """The numbers of the positions of an axis, from 0."""
    if not isinstance(size, Size):
        return b.integers(label, range(size))
    end = b.unbatched_step(f"{label}_end", "Squeeze", b.size(size), shape=(), dtype=DType.INT64)
    bounds = b.integers("first", 0), end, b.integers("step", 1)
    return b.unbatched_step(label, "Range", *bounds, shape=(size,), dtype=DType.INT64)
