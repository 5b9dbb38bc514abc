"""Parameters that are layers of their own, in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, batched_shape
from archspec.ops.parameters import ClassToken, Embedding, LayerScale, Parameter, PositionEmbedding


@RULES.rule(LayerScale)
def layer_scale(op: LayerScale, b: OnnxBuilder) -> str:
    """Mul."""
    return b.result("Mul", b.input, *b.weights("weight"))


@RULES.rule(ClassToken)
def class_token(op: ClassToken, b: OnnxBuilder) -> str:
    """Expand to the batch size, then Concat."""
    (weight,) = b.weights("weight")
    token = b.input_type.with_sizes(1, b.input_type.sizes[-1])
    tokens = b.step("token", "Expand", weight, batched_shape(b, (1, 1)), type=token)
    return b.result("Concat", tokens, b.input, axis=1)


@RULES.rule(PositionEmbedding)
def position_embedding(op: PositionEmbedding, b: OnnxBuilder) -> str:
    """Add."""
    return b.result("Add", b.input, *b.weights("weight"))


@RULES.rule(Parameter)
def parameter(op: Parameter, b: OnnxBuilder) -> str:
    """Expand to the batch size."""
    (weight,) = b.weights("weight")
    return b.result("Expand", weight, batched_shape(b, [1] * len(op.sizes)))


@RULES.rule(Embedding)
def embedding(op: Embedding, b: OnnxBuilder) -> str:
    """Gather."""
    return b.result("Gather", *b.weights("weight"), b.input, axis=0)
