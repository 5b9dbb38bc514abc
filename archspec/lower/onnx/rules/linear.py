"""Linear layers in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.linear import CapsuleVotes, Linear, RadialBasis


@RULES.rule(Linear)
def linear(op: Linear, b: OnnxBuilder) -> str:
    """Gemm, or MatMul for more than two axes.

    The weight stays (features, inputs) as in the state dict: Gemm transposes it itself, MatMul needs a Transpose.
    """
    weight, *bias = b.weights("weight", "bias")
    if b.input_type.rank == 2:
        return b.result("Gemm", b.input, weight, *bias, transB=1)
    matrix = b.unbatched_step("matrix", "Transpose", weight, shape=(b.input_type.sizes[-1], op.features), perm=(1, 0))
    if not bias:
        return b.result("MatMul", b.input, matrix)
    product = b.step("product", "MatMul", b.input, matrix, type=b.output_type)
    return b.result("Add", product, *bias)


@RULES.rule(CapsuleVotes)
def capsule_votes(op: CapsuleVotes, b: OnnxBuilder) -> str:
    """MatMul of the stacked matrices of each capsule with its vector as a column."""
    count, features = b.input_type.sizes
    rows = op.capsules * op.features
    shape = b.integers("shape", (count, rows, features))
    matrices = b.unbatched_step("matrices", "Reshape", *b.weights("weight"), shape, shape=(count, rows, features))
    column = b.input_type.with_sizes(count, features, 1)
    vector = b.step("vector", "Unsqueeze", b.input, b.integers("axes", [3]), type=column)
    votes = b.step("votes", "MatMul", matrices, vector, type=b.input_type.with_sizes(count, rows, 1))
    return b.result("Reshape", votes, b.integers("shape", (0, *b.output_type.sizes)))


@RULES.rule(RadialBasis)
def radial_basis(op: RadialBasis, b: OnnxBuilder) -> str:
    """Sub and ReduceSumSquare: the squared distance of the input to each prototype."""
    (features,) = b.input_type.sizes
    row = b.input_type.with_sizes(1, features)
    pairs = b.input_type.with_sizes(op.units, features)
    vector = b.step("vector", "Unsqueeze", b.input, b.integers("axes", [1]), type=row)
    difference = b.step("difference", "Sub", vector, *b.weights("weight"), type=pairs)
    return b.result("ReduceSumSquare", difference, b.integers("axes", [2]), keepdims=0)
