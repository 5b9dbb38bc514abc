"""Maximum pooling with its indices and the way back, in ONNX.

PyTorch counts indices within a channel, ONNX over the whole value, batch and channels among them. Between layers they
are PyTorch's, so that what a spec says is the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archspec.ir.types import DType
from archspec.lower.onnx.builder import Attribute, Emit, ValueInfo
from archspec.lower.onnx.rules.common import RULES, with_batch
from archspec.ops.unpool import MaxUnpool


def max_pool_with_indices(emit: Emit, value: str, attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    """MaxPool, whose second output is taken modulo the positions of a channel."""
    output, indices = emit.made(0), emit.made(1)
    whole = ValueInfo(f"{emit.node.name}/whole", indices.shape, indices.dtype)
    emit.write(emit.node.name, "MaxPool", (value,), (output, whole), attributes)
    positions = emit.integers("positions", prod(emit.type.spatial))
    emit.write(f"{emit.node.name}/plane", "Mod", (whole.name, positions), (indices,), {})
    return output.name, indices.name


@RULES.rule(MaxUnpool)
def max_unpool(op: MaxUnpool, emit: Emit) -> str:
    """ScatterElements into zeros, a row of positions a channel: MaxUnpool would want indices over the whole value."""
    channels, sizes = emit.type.channels, emit.output.spatial
    row = emit.integers("row", (0, channels, -1))
    read = emit.type.with_sizes(channels, prod(emit.type.spatial))
    values = emit.step("values", "Reshape", emit.input, row, type=read)
    indices = emit.form("indices", "Reshape", emit.inputs[1], row, shape=read.shape, dtype=DType.INT64)
    flat = emit.output.with_sizes(channels, prod(sizes))
    zeros = emit.step("zeros", "ConstantOfShape", with_batch(emit, flat.sizes), type=flat)
    filled = emit.step("filled", "ScatterElements", zeros, indices, values, type=flat, axis=2)
    return emit.last("Reshape", filled, emit.integers("sizes", (0, channels, *sizes)))
