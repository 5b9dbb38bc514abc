"""Reshaping, permuting, selecting and repeating in ONNX.

In the shapes of Reshape a size of 0, such as the batch's, keeps that of the input.
"""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, gather, identity
from archspec.ops.reshape import Expand, Flatten, Identity, Permute, Reshape, Select, Squeeze, Tile, Unsqueeze

RULES.rule(Identity)(identity)


@RULES.rule(Flatten)
def flatten(op: Flatten, b: OnnxBuilder) -> str:
    """Flatten if two axes remain with the batch, otherwise Reshape."""
    if len(b.output_type.sizes) == 1:
        return b.result("Flatten", b.input, axis=1)
    return b.result("Reshape", b.input, b.shape("shape", b.input_type, b.output_type.sizes))


@RULES.rule(Reshape)
def reshape(op: Reshape, b: OnnxBuilder) -> str:
    """Reshape to the inferred sizes."""
    return b.result("Reshape", b.input, b.shape("shape", b.input_type, b.output_type.sizes))


@RULES.rule(Permute)
def permute(op: Permute, b: OnnxBuilder) -> str:
    """Transpose."""
    return b.result("Transpose", b.input, perm=(0, *op.order))


@RULES.rule(Select)
def select(op: Select, b: OnnxBuilder) -> str:
    """Gather."""
    return gather(b, {op.normalized_axis(b.input_type): op.indices})


@RULES.rule(Squeeze)
def squeeze(op: Squeeze, b: OnnxBuilder) -> str:
    """Squeeze."""
    return b.result("Squeeze", b.input, b.integers("axes", op.removed(b.input_type)))


@RULES.rule(Unsqueeze)
def unsqueeze(op: Unsqueeze, b: OnnxBuilder) -> str:
    """Unsqueeze."""
    return b.result("Unsqueeze", b.input, b.integers("axes", [op.added(b.input_type)]))


@RULES.rule(Expand)
def expand(op: Expand, b: OnnxBuilder) -> str:
    """Expand, which repeats for a size above 1."""
    return b.result("Expand", b.input, b.integers("sizes", (1, *(max(1, size) for size in op.sizes))))


@RULES.rule(Tile)
def tile(op: Tile, b: OnnxBuilder) -> str:
    """Tile."""
    return b.result("Tile", b.input, b.integers("times", (1, *op.times)))
