"""Functions of one element, softmax, and joins, in ONNX."""

from __future__ import annotations

from math import pi, sqrt

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, a_channel, named, vector_length
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


@RULES.rule(Relu6)
def relu6(op: Relu6, emit: Emit) -> str:
    """Clip."""
    return emit.last("Clip", emit.input, emit.numbers("least", 0), emit.numbers("most", 6))


@RULES.rule(LeakyRelu)
def leaky_relu(op: LeakyRelu, emit: Emit) -> str:
    """LeakyRelu."""
    return emit.last("LeakyRelu", emit.input, alpha=op.slope)


@RULES.rule(PRelu)
def prelu(op: PRelu, emit: Emit) -> str:
    """PRelu, whose slopes meet the last axes unless they have axes of their own."""
    (slope,) = emit.weights("weight")
    return emit.last("PRelu", emit.input, a_channel(emit, "slope", slope) if op.per_channel else slope)


@RULES.rule(Elu)
def elu(op: Elu, emit: Emit) -> str:
    """Elu."""
    return emit.last("Elu", emit.input, alpha=op.alpha)


@RULES.rule(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, emit: Emit) -> str:
    """HardSigmoid, with PyTorch's slope of 1/6: ONNX's own is 1/5."""
    return emit.last("HardSigmoid", emit.input, alpha=1 / 6, beta=0.5)


@RULES.rule(Tanh)
def tanh(op: Tanh, emit: Emit) -> str:
    """Tanh, between Muls where it is scaled."""
    value = emit.input
    if op.slope != 1:
        value = emit.step("slope", "Mul", value, emit.numbers("slope", op.slope), type=emit.type)
    if op.scale == 1:
        return emit.last("Tanh", value)
    value = emit.step("tanh", "Tanh", value, type=emit.type)
    return emit.last("Mul", value, emit.numbers("scale", op.scale))


@RULES.rule(Silu)
def silu(op: Silu, emit: Emit) -> str:
    """Opset 24 has it as `Swish`; what runs older opsets knows the pair as well, and fuses it."""
    return emit.last("Mul", emit.input, emit.step("gate", "Sigmoid", emit.input, type=emit.type))


@RULES.rule(Gelu)
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


@RULES.rule(HardTanh)
def hard_tanh(op: HardTanh, emit: Emit) -> str:
    """Clip."""
    return emit.last("Clip", emit.input, emit.numbers("least", -1), emit.numbers("most", 1))


@RULES.rule(Celu)
def celu(op: Celu, emit: Emit) -> str:
    """Celu."""
    return emit.last("Celu", emit.input, alpha=op.alpha)


@RULES.rule(Threshold)
def threshold(op: Threshold, emit: Emit) -> str:
    """ThresholdedRelu."""
    return emit.last("ThresholdedRelu", emit.input, alpha=op.threshold)


@RULES.rule(LogSigmoid)
def log_sigmoid(op: LogSigmoid, emit: Emit) -> str:
    """-log(1 + exp(-x)), which does not overflow."""
    turned = emit.step("turned", "Neg", emit.input, type=emit.type)
    return emit.last("Neg", emit.step("softplus", "Softplus", turned, type=emit.type))


@RULES.rule(Scale)
def scale(op: Scale, emit: Emit) -> str:
    """Mul."""
    return emit.last("Mul", emit.input, emit.numbers("factor", op.factor))


@RULES.rule(Clip)
def clip(op: Clip, emit: Emit) -> str:
    """Clip, whose bounds may each be missing."""
    least = "" if op.min is None else emit.numbers("least", op.min)
    most = () if op.max is None else (emit.numbers("most", op.max),)
    return emit.last("Clip", emit.input, least, *most)


@RULES.rule(Glu)
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


@RULES.rule(Softmax)
def softmax(op: Softmax, emit: Emit) -> str:
    """Softmax."""
    return emit.last("Softmax", emit.input, axis=op.place(emit.type))


@RULES.rule(LogSoftmax)
def log_softmax(op: LogSoftmax, emit: Emit) -> str:
    """LogSoftmax."""
    return emit.last("LogSoftmax", emit.input, axis=op.place(emit.type))


@RULES.rule(Squash)
def squash(op: Squash, emit: Emit) -> str:
    """The length divided by one more than its square, times the vector."""
    length, tensor = vector_length(emit, op.place(emit.type))
    square = emit.step("square", "Mul", length, length, type=tensor)
    more = emit.step("more", "Add", square, emit.numbers("one", 1), type=tensor)
    return emit.last("Mul", emit.input, emit.step("factor", "Div", length, more, type=tensor))


RULES.rule(Relu)(named("Relu"))
RULES.rule(Selu)(named("Selu"))
RULES.rule(Sigmoid)(named("Sigmoid"))
RULES.rule(HardSwish)(named("HardSwish"))
RULES.rule(Mish)(named("Mish"))
RULES.rule(Softplus)(named("Softplus"))
RULES.rule(Softsign)(named("Softsign"))
