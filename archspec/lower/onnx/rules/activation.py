"""Functions of one element, softmax, and joins, in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import a_channel
from archspec.ops import Op
from archspec.ops.activation import (
    Celu,
    Clip,
    Elu,
    Gelu,
    Glu,
    HardSigmoid,
    HardTanh,
    LeakyRelu,
    LogSigmoid,
    LogSoftmax,
    PRelu,
    Relu6,
    Scale,
    Silu,
    Softmax,
    Tanh,
    Threshold,
)
from archspec.ops.merge import Concat, Mul


def named(kind: str) -> Callable[[Op, Emit], str]:
    """The rule of an op that is one of ONNX's, without attributes."""
    return lambda op, emit: emit.last(kind, emit.input)


def relu6(op: Relu6, emit: Emit) -> str:
    """Clip."""
    return emit.last("Clip", emit.input, emit.numbers("least", 0), emit.numbers("most", 6))


def leaky_relu(op: LeakyRelu, emit: Emit) -> str:
    """LeakyRelu."""
    return emit.last("LeakyRelu", emit.input, alpha=op.slope)


def prelu(op: PRelu, emit: Emit) -> str:
    """PRelu, whose slopes meet the last axes unless they have axes of their own."""
    (slope,) = emit.weights("weight")
    return emit.last("PRelu", emit.input, a_channel(emit, "slope", slope) if op.per_channel else slope)


def elu(op: Elu, emit: Emit) -> str:
    """Elu."""
    return emit.last("Elu", emit.input, alpha=op.alpha)


def hard_sigmoid(op: HardSigmoid, emit: Emit) -> str:
    """HardSigmoid, with PyTorch's slope of 1/6: ONNX's own is 1/5."""
    return emit.last("HardSigmoid", emit.input, alpha=1 / 6, beta=0.5)


def tanh(op: Tanh, emit: Emit) -> str:
    """Tanh, between Muls where it is scaled."""
    value = emit.input
    if op.slope != 1:
        value = emit.step("slope", "Mul", value, emit.numbers("slope", op.slope), type=emit.type)
    if op.scale == 1:
        return emit.last("Tanh", value)
    value = emit.step("tanh", "Tanh", value, type=emit.type)
    return emit.last("Mul", value, emit.numbers("scale", op.scale))


def silu(op: Silu, emit: Emit) -> str:
    """Opset 24 has it as `Swish`; what runs older opsets knows the pair as well, and fuses it."""
    return emit.last("Mul", emit.input, emit.step("gate", "Sigmoid", emit.input, type=emit.type))


def gelu(op: Gelu, emit: Emit) -> str:
    """`Gelu` is as old as opset 20; before it, Phi is written out."""
    if emit.opset >= 20:
        return emit.last("Gelu", emit.input, **({} if op.approximate == "none" else {"approximate": op.approximate}))
    return emit.last("Mul", emit.input, _normal(op, emit))


def _normal(op: Gelu, emit: Emit) -> str:
    """The normal distribution's cumulative function: (1 + erf(x / sqrt(2))) / 2, or its approximation by tanh."""

    def step(label: str, kind: str, value: str, *numbers: float) -> str:
        constants = [emit.numbers(label, number) for number in numbers]
        return emit.step(label, kind, value, *constants, type=emit.type)

    if op.approximate == "none":
        curve = step("erf", "Erf", step("scaled", "Mul", emit.input, sqrt(1 / 2)))
    else:
        cube = step("cube", "Pow", emit.input, 3)
        bent = emit.step("bent", "Add", emit.input, step("weighted", "Mul", cube, 0.044715), type=emit.type)
        curve = step("tanh", "Tanh", step("scaled", "Mul", bent, sqrt(2 / pi)))
    return step("normal", "Mul", step("raised", "Add", curve, 1), 0.5)


def hard_tanh(op: HardTanh, emit: Emit) -> str:
    """Clip."""
    return emit.last("Clip", emit.input, emit.numbers("least", -1), emit.numbers("most", 1))


def celu(op: Celu, emit: Emit) -> str:
    """Celu."""
    return emit.last("Celu", emit.input, alpha=op.alpha)


def threshold(op: Threshold, emit: Emit) -> str:
    """ThresholdedRelu."""
    return emit.last("ThresholdedRelu", emit.input, alpha=op.threshold)


def log_sigmoid(op: LogSigmoid, emit: Emit) -> str:
    """-log(1 + exp(-x)), which does not overflow."""
    turned = emit.step("turned", "Neg", emit.input, type=emit.type)
    return emit.last("Neg", emit.step("softplus", "Softplus", turned, type=emit.type))


def scale(op: Scale, emit: Emit) -> str:
    """Mul."""
    return emit.last("Mul", emit.input, emit.numbers("factor", op.factor))


def clip(op: Clip, emit: Emit) -> str:
    """Clip, whose bounds may each be missing."""
    least = "" if op.min is None else emit.numbers("least", op.min)
    most = () if op.max is None else (emit.numbers("most", op.max),)
    return emit.last("Clip", emit.input, least, *most)


def glu(op: Glu, emit: Emit) -> str:
    """The halves by Slice, and the product of one with the Sigmoid of the other."""
    place = op.place(emit.type)
    size = emit.output.sizes[place - 1]
    axes = emit.integers("axes", [place])

    def half(label: str, start: int) -> str:
        bounds = emit.integers("starts", [start]), emit.integers("ends", [start + size]), axes
        return emit.step(label, "Slice", emit.input, *bounds, type=emit.output)

    gate = emit.step("gate", "Sigmoid", half("second", size), type=emit.output)
    return emit.last("Mul", half("first", 0), gate)


def softmax(op: Softmax, emit: Emit) -> str:
    """Softmax."""
    return emit.last("Softmax", emit.input, axis=op.place(emit.type))


def log_softmax(op: LogSoftmax, emit: Emit) -> str:
    """LogSoftmax."""
    return emit.last("LogSoftmax", emit.input, axis=op.place(emit.type))


def joined(pair: str, several: str) -> Callable[[Op, Emit], str]:
    """The rule of a join that ONNX has for two values and for several under these names."""

    def join(op: Op, emit: Emit) -> str:
        if len(emit.inputs) == 1:
            return emit.input
        return emit.last(pair if len(emit.inputs) == 2 else several, *emit.inputs)

    return join


def mul(op: Mul, emit: Emit) -> str:
    """ONNX multiplies two at a time."""
    if len(emit.inputs) == 1:
        return emit.input
    product, tensor = emit.input, emit.type
    for i, value in enumerate(emit.node.inputs[1:-1], start=1):
        (tensor,) = op.infer((tensor, value.type))
        product = emit.step(f"product{i}", "Mul", product, emit.inputs[i], type=tensor)
    return emit.last("Mul", product, emit.inputs[-1])


def concat(op: Concat, emit: Emit) -> str:
    """Concat."""
    if len(emit.inputs) == 1:
        return emit.input
    axis = op.axis + emit.type.rank if op.axis < 0 else op.axis
    return emit.last("Concat", *emit.inputs, axis=axis)
