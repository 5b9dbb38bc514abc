"""Reshaping, permuting and selecting in ONNX.

In the shapes of Reshape a size of 0, such as the batch's, keeps that of the input.
"""

from __future__ import annotations

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, gather, identity
from archspec.ops.reshape import Flatten, Identity, Permute, Reshape, Select

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
