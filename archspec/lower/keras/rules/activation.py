"""Activations and softmax in Keras."""

from __future__ import annotations

from collections.abc import Mapping

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer, layer
from archspec.lower.text.code_model import Constant, function
from archspec.ops import activation

_NAMED: Mapping[type[ops.Op], str] = {
    activation.Selu: "selu",
    activation.Sigmoid: "sigmoid",
    activation.HardSigmoid: "hard_sigmoid",
    activation.Silu: "silu",
    activation.HardSwish: "hard_swish",
    activation.Mish: "mish",
    activation.Softplus: "softplus",
    activation.HardTanh: "hard_tanh",
    activation.Softsign: "softsign",
    activation.LogSigmoid: "log_sigmoid",
}
"""The names of activations that take no arguments."""


def _activation(name: str) -> LayerCall:
    return LayerCall((layer("Activation", {"activation": name}),))


@RULES.rule(*_NAMED)
def _activation_by_name(op: ops.Op, node: Node) -> LayerCall:
    return _activation(_NAMED[type(op)])


@RULES.rule(activation.Relu)
def _relu(op: activation.Relu, node: Node) -> LayerCall:
    return LayerCall((layer("ReLU", {}),))


@RULES.rule(activation.Relu6)
def _relu6(op: activation.Relu6, node: Node) -> LayerCall:
    return LayerCall((layer("ReLU", {}, {"max_value": (6.0, None)}),))


@RULES.rule(activation.LeakyRelu)
def _leaky_relu(op: activation.LeakyRelu, node: Node) -> LayerCall:
    if op.slope < 0:  # LeakyReLU rejects it
        numbers: dict[str, Constant] = {"slope": op.slope}
        return LayerCall((function("leaky_relu", "ops.leaky_relu({x}, negative_slope={slope})", numbers),))
    return LayerCall((layer("LeakyReLU", {}, {"negative_slope": (op.slope, 0.3)}),))


@RULES.rule(activation.Elu)
def _elu(op: activation.Elu, node: Node) -> LayerCall:
    return LayerCall((layer("ELU", {}, {"alpha": (op.alpha, 1.0)}),))


@RULES.rule(activation.Celu)
def _celu(op: activation.Celu, node: Node) -> LayerCall:
    return _activation("celu") if op.alpha == 1 else _function("celu", "alpha={alpha}", alpha=op.alpha)


@RULES.rule(activation.Gelu)
def _gelu(op: activation.Gelu, node: Node) -> LayerCall:
    return _activation("gelu") if op.approximate == "none" else _function("gelu", "approximate=True")


@RULES.rule(activation.Threshold)
def _threshold(op: activation.Threshold, node: Node) -> LayerCall:
    return _function("threshold", "{threshold}, 0.0", threshold=op.threshold)


@RULES.rule(activation.Glu)
def _glu(op: activation.Glu, node: Node) -> LayerCall:
    return _function("glu", "axis={axis}", axis=op.axis)


@RULES.rule(activation.Softmax)
def _softmax(op: activation.Softmax, node: Node) -> LayerCall:
    return LayerCall((layer("Softmax", {}, {"axis": (op.axis, -1)}),))


@RULES.rule(activation.Squash)
def _squash(op: activation.Squash, node: Node) -> LayerCall:
    return helper_layer("Squash", {}, {"axis": (op.axis, -1)})


@RULES.rule(activation.LogSoftmax)
def _log_softmax(op: activation.LogSoftmax, node: Node) -> LayerCall:
    return _function("log_softmax", "axis={axis}", axis=op.axis)


def _function(name: str, arguments: str, **numbers: Constant) -> LayerCall:
    return LayerCall((function(name, f"ops.{name}({{x}}, {arguments})", numbers),))


@RULES.rule(activation.Tanh)
def _tanh(op: activation.Tanh, node: Node) -> LayerCall:
    if op.scale == op.slope == 1:
        return _activation("tanh")
    numbers: dict[str, Constant] = {"scale": op.scale, "slope": op.slope}
    return LayerCall((function("(multiply|tanh)", "{scale} * ops.tanh({slope} * {x})", numbers),))


@RULES.rule(activation.Scale)
def _scale(op: activation.Scale, node: Node) -> LayerCall:
    return LayerCall((function("multiply", "{factor} * {x}", {"factor": op.factor}),))


@RULES.rule(activation.Clip)
def _clip(op: activation.Clip, node: Node) -> LayerCall:
    if op.min is None:
        return _function("minimum", "{most}", most=op.max)
    if op.max is None:
        return _function("maximum", "{least}", least=op.min)
    return _function("clip", "{least}, {most}", least=op.min, most=op.max)


@RULES.rule(activation.PRelu)
def _prelu(op: activation.PRelu, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    first = 2 if op.per_channel else 1
    shared = tuple(range(first, tensor.rank))
    shape = tuple(size if axis < first else 1 for axis, size in enumerate(tensor.sizes, start=1))
    call = layer("PReLU", {}, {"shared_axes": (shared or None, None)})
    return LayerCall((call,), (WeightLayout("weight", shape=shape),))
