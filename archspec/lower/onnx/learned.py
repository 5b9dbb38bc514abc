"""Parameters that stand in a network by themselves, in ONNX."""

from __future__ import annotations

from archspec.ir.types import DType
from archspec.lower.onnx.emit import Emit
from archspec.ops.learned import ClassToken, Embedding, LayerScale, PositionEmbedding


def layer_scale(op: LayerScale, emit: Emit) -> str:
    """Mul."""
    return emit.last("Mul", emit.input, *emit.weights("weight"))


def class_token(op: ClassToken, emit: Emit) -> str:
    """The token for each sample, by the size of the batch, and Concat."""
    (weight,) = emit.weights("weight")
    batch = emit.form("batch", "Shape", emit.input, shape=(1,), dtype=DType.INT64, start=0, end=1)
    ones = emit.integers("ones", [1, 1])
    shape = emit.form("shape", "Concat", batch, ones, shape=(3,), dtype=DType.INT64, axis=0)
    token = emit.step("token", "Expand", weight, shape, type=emit.type.with_sizes(1, emit.type.sizes[-1]))
    return emit.last("Concat", token, emit.input, axis=1)


def position_embedding(op: PositionEmbedding, emit: Emit) -> str:
    """Add."""
    return emit.last("Add", emit.input, *emit.weights("weight"))


def embedding(op: Embedding, emit: Emit) -> str:
    """Gather."""
    return emit.last("Gather", *emit.weights("weight"), emit.input, axis=0)
