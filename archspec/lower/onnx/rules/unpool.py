"""Max unpooling in ONNX."""

from __future__ import annotations

from math import prod

from archspec.ir.types import DType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, batched_shape
from archspec.ops.unpool import MaxUnpool


@RULES.rule(MaxUnpool)
def max_unpool(op: MaxUnpool, b: OnnxBuilder) -> str:
    """ScatterElements into zeros, per channel: MaxUnpool expects indices over the whole tensor."""
    channels, sizes = b.input_type.channels, b.output_type.spatial
    row = b.integers("row", (0, channels, -1))
    rows = b.input_type.with_sizes(channels, prod(b.input_type.spatial))
    values = b.step("values", "Reshape", b.input, row, type=rows)
    indices = b.unbatched_step("indices", "Reshape", b.inputs[1], row, shape=rows.shape, dtype=DType.INT64)
    flat = b.output_type.with_sizes(channels, prod(sizes))
    zeros = b.step("zeros", "ConstantOfShape", batched_shape(b, flat.sizes), type=flat)
    filled = b.step("filled", "ScatterElements", zeros, indices, values, type=flat, axis=2)
    return b.result("Reshape", filled, b.integers("sizes", (0, channels, *sizes)))
