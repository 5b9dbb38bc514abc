"""Linear layers in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.linear import CapsuleVotes, Linear, RadialBasis


@RULES.rule(Linear)
def linear(op: Linear, emit: Emit) -> str:
    """The weight stays as the state dict has it, features first: Gemm turns it round by itself, MatMul does not."""
    weight, *bias = emit.weights("weight", "bias")
    if emit.type.rank == 2:
        return emit.last("Gemm", emit.input, weight, *bias, transB=1)
    matrix = emit.form("matrix", "Transpose", weight, shape=(emit.type.sizes[-1], op.features), perm=(1, 0))
    if not bias:
        return emit.last("MatMul", emit.input, matrix)
    product = emit.step("product", "MatMul", emit.input, matrix, type=emit.output)
    return emit.last("Add", product, *bias)


@RULES.rule(CapsuleVotes)
def capsule_votes(op: CapsuleVotes, emit: Emit) -> str:
    """The matrices of one capsule below one another, times its vector as a column."""
    count, features = emit.type.sizes
    rows = op.capsules * op.features
    shape = emit.integers("shape", (count, rows, features))
    matrices = emit.form("matrices", "Reshape", *emit.weights("weight"), shape, shape=(count, rows, features))
    column = emit.type.with_sizes(count, features, 1)
    vector = emit.step("vector", "Unsqueeze", emit.input, emit.integers("axes", [3]), type=column)
    votes = emit.step("votes", "MatMul", matrices, vector, type=emit.type.with_sizes(count, rows, 1))
    return emit.last("Reshape", votes, emit.integers("shape", (0, *emit.output.sizes)))


@RULES.rule(RadialBasis)
def radial_basis(op: RadialBasis, emit: Emit) -> str:
    """The input beside each prototype, subtracted, squared and summed."""
    (features,) = emit.type.sizes
    row = emit.type.with_sizes(1, features)
    each = emit.type.with_sizes(op.units, features)
    vector = emit.step("vector", "Unsqueeze", emit.input, emit.integers("axes", [1]), type=row)
    difference = emit.step("difference", "Sub", vector, *emit.weights("weight"), type=each)
    return emit.last("ReduceSumSquare", difference, emit.integers("axes", [2]), keepdims=0)
