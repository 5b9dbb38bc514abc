"""Linear layers and normalizations, in ONNX."""

from __future__ import annotations

import numpy as np

from archspec.ir.types import DType
from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, a_channel, vector_length
from archspec.ops.norm import (
    Affine,
    BatchNorm,
    FrozenBatchNorm,
    GroupNorm,
    InstanceNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
)


@RULES.rule(BatchNorm, FrozenBatchNorm)
def batch_norm(op: BatchNorm | FrozenBatchNorm, emit: Emit) -> str:
    """BatchNormalization by the running mean and variance."""
    running = emit.weights("running_mean", "running_var")
    return emit.last("BatchNormalization", emit.input, *_scale_and_shift(emit), *running, epsilon=op.eps)


def _scale_and_shift(emit: Emit) -> tuple[str, ...]:
    """What is learned of a normalization, which ONNX always wants: ones and zeros where nothing is."""
    return emit.weights("weight", "bias") or _neutral(emit, emit.type.channels)


def _neutral(emit: Emit, count: int) -> tuple[str, str]:
    return emit.numbers("ones", np.ones(count)), emit.numbers("zeros", np.zeros(count))


@RULES.rule(LayerNorm)
def layer_norm(op: LayerNorm, emit: Emit) -> str:
    """LayerNormalization, which looks at the last axes: channels are brought there and back."""
    tensor, sizes = emit.type, op.normalized(emit.type)
    weight, *bias = emit.weights("weight", "bias") or (emit.numbers("ones", np.ones(sizes)),)
    if op.axes != "channels" or tensor.rank == 2:
        return emit.last("LayerNormalization", emit.input, weight, *bias, axis=tensor.rank - len(sizes), epsilon=op.eps)
    last = tensor.with_sizes(*tensor.spatial, tensor.channels)
    value = emit.step("last", "Transpose", emit.input, type=last, perm=(0, *range(2, tensor.rank), 1))
    value = emit.step("norm", "LayerNormalization", value, weight, *bias, type=last, axis=-1, epsilon=op.eps)
    return emit.last("Transpose", value, perm=(0, tensor.rank - 1, *range(1, tensor.rank - 1)))


@RULES.rule(GroupNorm)
def group_norm(op: GroupNorm, emit: Emit) -> str:
    """InstanceNormalization of groups laid out as channels: what GroupNormalization scales by changed at opset 21."""
    tensor = emit.type
    rows = tensor.with_sizes(op.groups, tensor.elements // op.groups)
    neutral = _neutral(emit, op.groups)
    laid_out = (0, op.groups, -1) if emit.open else (0, *rows.sizes)
    value = emit.step("groups", "Reshape", emit.input, emit.integers("shape", laid_out), type=rows)
    value = emit.step("norm", "InstanceNormalization", value, *neutral, type=rows, epsilon=op.eps)
    if emit.open:
        shape = emit.form("shape", "Shape", emit.input, shape=(tensor.rank,), dtype=DType.INT64)
    else:
        shape = emit.integers("shape", (0, *tensor.sizes))
    if not op.affine:
        return emit.last("Reshape", value, shape)
    weight, bias = emit.weights("weight", "bias")
    value = emit.step("channels", "Reshape", value, shape, type=tensor)
    value = emit.step("scaled", "Mul", value, a_channel(emit, "scale", weight), type=tensor)
    return emit.last("Add", value, a_channel(emit, "shift", bias))


@RULES.rule(InstanceNorm)
def instance_norm(op: InstanceNorm, emit: Emit) -> str:
    """InstanceNormalization."""
    return emit.last("InstanceNormalization", emit.input, *_scale_and_shift(emit), epsilon=op.eps)


@RULES.rule(LocalResponseNorm)
def local_response_norm(op: LocalResponseNorm, emit: Emit) -> str:
    """ONNX Runtime takes images only, so other values are laid out as images: the op looks along the channels alone."""
    tensor = emit.type
    if tensor.rank == 4:
        return emit.last("LRN", emit.input, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    image = tensor.with_sizes(tensor.channels, tensor.elements // tensor.channels // tensor.sizes[-1], tensor.sizes[-1])
    value = emit.step("image", "Reshape", emit.input, emit.integers("shape", (0, *image.sizes)), type=image)
    value = emit.step("norm", "LRN", value, type=image, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    return emit.last("Reshape", value, emit.integers("shape", (0, *tensor.sizes)))


@RULES.rule(Affine)
def affine(op: Affine, emit: Emit) -> str:
    """Mul and Add."""
    weight, *bias = emit.weights("weight", "bias")
    scale = a_channel(emit, "scale", weight)
    if not bias:
        return emit.last("Mul", emit.input, scale)
    scaled = emit.step("scaled", "Mul", emit.input, scale, type=emit.type)
    return emit.last("Add", scaled, a_channel(emit, "shift", *bias))


@RULES.rule(L2Normalize)
def l2_normalize(op: L2Normalize, emit: Emit) -> str:
    """LpNormalization divides by zero; here the length is at least eps."""
    length, tensor = vector_length(emit, op.place(emit.type))
    return emit.last("Div", emit.input, emit.step("least", "Max", length, emit.numbers("eps", op.eps), type=tensor))
