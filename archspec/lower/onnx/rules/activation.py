"""Activations and softmax in ONNX."""

from __future__ import annotations

from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES, parts_of_axis, per_channel, vector_lengths
from archspec.ops import Op
from archspec.ops.activation import (
    Celu,
    Clip,
    Elu,
    Gelu,
    Glu,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyRelu,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PRelu,
    Relu,
    Relu6,
    Scale,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Squash,
    Tanh,
    Threshold,
)

_SAME: dict[type[Op], str] = {
    Relu: "Relu",
    Selu: "Selu",
    Sigmoid: "Sigmoid",
    HardSwish: "HardSwish",
    Mish: "Mish",
    Softplus: "Softplus",
    Softsign: "Softsign",
}
"""Ops that are one ONNX operator without attributes."""


@RULES.rule(*_SAME)
def same(op: Op, b: OnnxBuilder) -> str:
    """The ONNX operator of the same function."""
    return b.result(_SAME[type(op)], b.input)


@RULES.rule(Relu6)
def relu6(op: Relu6, b: OnnxBuilder) -> str:
    """Clip."""
    return b.result("Clip", b.input, b.floats("least", 0), b.floats("most", 6))


@RULES.rule(LeakyRelu)
def leaky_relu(op: LeakyRelu, b: OnnxBuilder) -> str:
    """LeakyRelu."""
    return b.result("LeakyRelu", b.input, alpha=op.slope)


@RULES.rule(PRelu)
def prelu(op: PRelu, b: OnnxBuilder) -> str:
    """PRelu. ONNX broadcasts the slope from the last axis, so one slope per channel needs trailing axes of size 1."""
    (slope,) = b.weights("weight")
    return b.result("PRelu", b.input, per_channel(b, "slope", slope) if op.per_channel else slope)


@RULES.rule(Elu)
def elu(op: Elu, b: OnnxBuilder) -> str:
    """Elu."""
    return b.result("Elu", b.input, alpha=op.alpha)


@RULES.rule(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, b: OnnxBuilder) -> str:
    """HardSigmoid with PyTorch's slope of 1/6; ONNX's default is 1/5."""
    return b.result("HardSigmoid", b.input, alpha=1 / 6, beta=0.5)


@RULES.rule(Tanh)
def tanh(op: Tanh, b: OnnxBuilder) -> str:
    """Tanh, with a Mul before it for the slope and one after it for the scale, unless they are 1."""
    value = b.input
    if op.slope != 1:
        value = b.step("slope", "Mul", value, b.floats("slope", op.slope), type=b.input_type)
    if op.scale == 1:
        return b.result("Tanh", value)
    value = b.step("tanh", "Tanh", value, type=b.input_type)
    return b.result("Mul", value, b.floats("scale", op.scale))


@RULES.rule(Silu)
def silu(op: Silu, b: OnnxBuilder) -> str:
    """Sigmoid and Mul, which runtimes fuse. `Swish` exists only from opset 24 on."""
    return b.result("Mul", b.input, b.step("gate", "Sigmoid", b.input, type=b.input_type))


@RULES.rule(Gelu)
def gelu(op: Gelu, b: OnnxBuilder) -> str:
    """Gelu."""
    return b.result("Gelu", b.input, **({} if op.approximate == "none" else {"approximate": op.approximate}))


@RULES.rule(HardTanh)
def hard_tanh(op: HardTanh, b: OnnxBuilder) -> str:
    """Clip."""
    return b.result("Clip", b.input, b.floats("least", -1), b.floats("most", 1))


@RULES.rule(Celu)
def celu(op: Celu, b: OnnxBuilder) -> str:
    """Celu."""
    return b.result("Celu", b.input, alpha=op.alpha)


@RULES.rule(Threshold)
def threshold(op: Threshold, b: OnnxBuilder) -> str:
    """ThresholdedRelu."""
    return b.result("ThresholdedRelu", b.input, alpha=op.threshold)


@RULES.rule(LogSigmoid)
def log_sigmoid(op: LogSigmoid, b: OnnxBuilder) -> str:
    """-softplus(-x), which does not overflow."""
    turned = b.step("turned", "Neg", b.input, type=b.input_type)
    return b.result("Neg", b.step("softplus", "Softplus", turned, type=b.input_type))


@RULES.rule(Scale)
def scale(op: Scale, b: OnnxBuilder) -> str:
    """Mul."""
    return b.result("Mul", b.input, b.floats("factor", op.factor))


@RULES.rule(Clip)
def clip(op: Clip, b: OnnxBuilder) -> str:
    """Clip, with each bound optional."""
    least = "" if op.min is None else b.floats("least", op.min)
    most = () if op.max is None else (b.floats("most", op.max),)
    return b.result("Clip", b.input, least, *most)


@RULES.rule(Glu)
def glu(op: Glu, b: OnnxBuilder) -> str:
    """Two Slices, then the first half times the Sigmoid of the second."""
    axis = op.normalized_axis(b.input_type)
    size = b.output_type.sizes[axis - 1]
    if isinstance(size, Size):
        first, second = parts_of_axis(b, axis, 2)
        return b.result("Mul", first, b.step("gate", "Sigmoid", second, type=b.output_type))
    axes = b.integers("axes", [axis])

    def half(label: str, start: int) -> str:
        bounds = b.integers("starts", [start]), b.integers("ends", [start + size]), axes
        return b.step(label, "Slice", b.input, *bounds, type=b.output_type)

    gate = b.step("gate", "Sigmoid", half("second", size), type=b.output_type)
    return b.result("Mul", half("first", 0), gate)


@RULES.rule(Softmax)
def softmax(op: Softmax, b: OnnxBuilder) -> str:
    """Softmax."""
    return b.result("Softmax", b.input, axis=op.normalized_axis(b.input_type))


@RULES.rule(LogSoftmax)
def log_softmax(op: LogSoftmax, b: OnnxBuilder) -> str:
    """LogSoftmax."""
    return b.result("LogSoftmax", b.input, axis=op.normalized_axis(b.input_type))


@RULES.rule(Squash)
def squash(op: Squash, b: OnnxBuilder) -> str:
    """The vector times |v| / (1 + |v|^2)."""
    length, tensor = vector_lengths(b, op.normalized_axis(b.input_type))
    square = b.step("square", "Mul", length, length, type=tensor)
    more = b.step("more", "Add", square, b.floats("one", 1), type=tensor)
    return b.result("Mul", b.input, b.step("factor", "Div", length, more, type=tensor))
