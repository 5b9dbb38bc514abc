"""Parameters that stand in a network by themselves, in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, with_batch
from archspec.ops.parameters import ClassToken, Embedding, LayerScale, PositionEmbedding


@RULES.rule(LayerScale)
def layer_scale(op: LayerScale, emit: Emit) -> str:
    """Mul."""
    return emit.last("Mul", emit.input, *emit.weights("weight"))


@RULES.rule(ClassToken)
def class_token(op: ClassToken, emit: Emit) -> str:
    """The token for each sample, by the size of the batch, and Concat."""
    (weight,) = emit.weights("weight")
    token = emit.type.with_sizes(1, emit.type.sizes[-1])
    each = emit.step("token", "Expand", weight, with_batch(emit, (1, 1)), type=token)
    return emit.last("Concat", each, emit.input, axis=1)


@RULES.rule(PositionEmbedding)
def position_embedding(op: PositionEmbedding, emit: Emit) -> str:
    """Add."""
    return emit.last("Add", emit.input, *emit.weights("weight"))


@RULES.rule(Embedding)
def embedding(op: Embedding, emit: Emit) -> str:
    """Gather."""
    return emit.last("Gather", *emit.weights("weight"), emit.input, axis=0)
