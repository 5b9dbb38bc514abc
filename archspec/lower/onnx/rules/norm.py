"""Normalization in ONNX."""

from __future__ import annotations

import numpy as np

from archspec.ir.types import DType
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, per_channel, vector_lengths
from archspec.ops.norm import (
    Affine,
    BatchNorm,
    FrozenBatchNorm,
    GroupNorm,
    InstanceNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
    RmsNorm,
)


@RULES.rule(BatchNorm, FrozenBatchNorm)
def batch_norm(op: BatchNorm | FrozenBatchNorm, b: OnnxBuilder) -> str:
    """BatchNormalization with the running mean and variance."""
    running = b.weights("running_mean", "running_var")
    return b.result("BatchNormalization", b.input, *_scale_and_shift(b), *running, epsilon=op.eps)


@RULES.rule(LayerNorm)
def layer_norm(op: LayerNorm, b: OnnxBuilder) -> str:
    """LayerNormalization. It normalizes the last axes, so channels are transposed to the end and back."""
    tensor, sizes = b.input_type, op.normalized(b.input_type)
    weight, *bias = b.weights("weight", "bias") or (b.floats("ones", np.ones(sizes)),)
    if op.axes != "channels" or tensor.rank == 2:
        return b.result("LayerNormalization", b.input, weight, *bias, axis=tensor.rank - len(sizes), epsilon=op.eps)
    last = tensor.with_sizes(*tensor.spatial, tensor.channels)
    value = b.step("last", "Transpose", b.input, type=last, perm=(0, *range(2, tensor.rank), 1))
    value = b.step("norm", "LayerNormalization", value, weight, *bias, type=last, axis=-1, epsilon=op.eps)
    return b.result("Transpose", value, perm=(0, tensor.rank - 1, *range(1, tensor.rank - 1)))


@RULES.rule(RmsNorm)
def rms_norm(op: RmsNorm, b: OnnxBuilder) -> str:
    """The input divided by the root of the mean of its squares: `RMSNormalization` exists only from opset 23 on."""
    tensor = b.input_type
    means = tensor.with_sizes(*tensor.sizes[: len(tensor.sizes) - op.axes], *(1 for _ in range(op.axes)))
    axes = b.integers("axes", range(tensor.rank - op.axes, tensor.rank))
    square = b.step("square", "Mul", b.input, b.input, type=tensor)
    mean = b.step("mean", "ReduceMean", square, axes, type=means, keepdims=1)
    shifted = b.step("shifted", "Add", mean, b.floats("eps", op.eps), type=means)
    root = b.step("root", "Sqrt", shifted, type=means)
    if not op.affine:
        return b.result("Div", b.input, root)
    return b.result("Mul", b.step("norm", "Div", b.input, root, type=tensor), *b.weights("weight"))


@RULES.rule(GroupNorm)
def group_norm(op: GroupNorm, b: OnnxBuilder) -> str:
    """InstanceNormalization with each group as one channel, then Mul and Add.

    GroupNormalization is not used because the meaning of its scale changed at opset 21.
    """
    tensor = b.input_type
    rows = tensor.with_sizes(op.groups, tensor.elements // op.groups)
    neutral = _neutral(b, op.groups)
    grouped = (0, op.groups, -1) if b.dynamic else (0, *rows.sizes)
    value = b.step("groups", "Reshape", b.input, b.integers("shape", grouped), type=rows)
    value = b.step("norm", "InstanceNormalization", value, *neutral, type=rows, epsilon=op.eps)
    if b.dynamic:
        shape = b.unbatched_step("shape", "Shape", b.input, shape=(tensor.rank,), dtype=DType.INT64)
    else:
        shape = b.integers("shape", (0, *tensor.sizes))
    if not op.affine:
        return b.result("Reshape", value, shape)
    weight, bias = b.weights("weight", "bias")
    value = b.step("channels", "Reshape", value, shape, type=tensor)
    value = b.step("scaled", "Mul", value, per_channel(b, "scale", weight), type=tensor)
    return b.result("Add", value, per_channel(b, "shift", bias))


@RULES.rule(InstanceNorm)
def instance_norm(op: InstanceNorm, b: OnnxBuilder) -> str:
    """InstanceNormalization."""
    return b.result("InstanceNormalization", b.input, *_scale_and_shift(b), epsilon=op.eps)


@RULES.rule(LocalResponseNorm)
def local_response_norm(op: LocalResponseNorm, b: OnnxBuilder) -> str:
    """LRN. ONNX Runtime accepts only rank 4, so other values are reshaped: the op reads along the channels alone."""
    tensor = b.input_type
    if tensor.rank == 4:
        return b.result("LRN", b.input, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    image = tensor.with_sizes(tensor.channels, tensor.elements // tensor.channels // tensor.sizes[-1], tensor.sizes[-1])
    value = b.step("image", "Reshape", b.input, b.shape("shape", tensor, image.sizes), type=image)
    value = b.step("norm", "LRN", value, type=image, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    return b.result("Reshape", value, b.shape("shape", image, tensor.sizes))


@RULES.rule(L2Normalize)
def l2_normalize(op: L2Normalize, b: OnnxBuilder) -> str:
    """The vector divided by its length, which is at least eps; LpNormalization would divide by zero."""
    length, tensor = vector_lengths(b, op.normalized_axis(b.input_type))
    return b.result("Div", b.input, b.step("least", "Max", length, b.floats("eps", op.eps), type=tensor))


@RULES.rule(Affine)
def affine(op: Affine, b: OnnxBuilder) -> str:
    """Mul and Add."""
    weight, *bias = b.weights("weight", "bias")
    scale = per_channel(b, "scale", weight)
    if not bias:
        return b.result("Mul", b.input, scale)
    scaled = b.step("scaled", "Mul", b.input, scale, type=b.input_type)
    return b.result("Add", scaled, per_channel(b, "shift", *bias))


def _scale_and_shift(b: OnnxBuilder) -> tuple[str, ...]:
    """The learned scale and shift; ones and zeros if there are none, since ONNX requires both."""
    return b.weights("weight", "bias") or _neutral(b, b.input_type.channels)


def _neutral(b: OnnxBuilder, count: int) -> tuple[str, str]:
    """A scale of ones and a shift of zeros."""
    return b.floats("ones", np.ones(count)), b.floats("zeros", np.zeros(count))
