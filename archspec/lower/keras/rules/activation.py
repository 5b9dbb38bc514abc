"""Functions of one element, softmax and dropout in Keras."""

from __future__ import annotations

from collections.abc import Mapping

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import FIRST, LayerCall, WeightLayout, axes_of, family, layer, own
from archspec.lower.text.code_model import Constant, function
from archspec.ops import activation, dropout

RULES = family("pointwise")

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
"""Activations that Keras knows by a name, and that take no number."""


def _activation(name: str) -> LayerCall:
    return LayerCall((layer("Activation", {"activation": name}),))


@RULES.rule(*_NAMED)
def _named(node: Node) -> LayerCall:
    return _activation(_NAMED[type(node.op)])  # type: ignore[index]  # rules are entered by op class


@RULES.rule(activation.Relu)
def _relu(node: Node) -> LayerCall:
    return LayerCall((layer("ReLU", {}),))


@RULES.rule(activation.Relu6)
def _relu6(node: Node) -> LayerCall:
    return LayerCall((layer("ReLU", {}, {"max_value": (6.0, None)}),))


@RULES.rule(activation.LeakyRelu)
def _leaky_relu(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.LeakyRelu)
    if op.slope < 0:  # which the layer refuses
        numbers: dict[str, Constant] = {"slope": op.slope}
        return LayerCall((function("leaky_relu", "ops.leaky_relu({x}, negative_slope={slope})", numbers),))
    return LayerCall((layer("LeakyReLU", {}, {"negative_slope": (op.slope, 0.3)}),))


@RULES.rule(activation.Elu)
def _elu(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Elu)
    return LayerCall((layer("ELU", {}, {"alpha": (op.alpha, 1.0)}),))


@RULES.rule(activation.Celu)
def _celu(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Celu)
    return _activation("celu") if op.alpha == 1 else _function("celu", "alpha={alpha}", alpha=op.alpha)


@RULES.rule(activation.Gelu)
def _gelu(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Gelu)
    return _activation("gelu") if op.approximate == "none" else _function("gelu", "approximate=True")


@RULES.rule(activation.Threshold)
def _threshold(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Threshold)
    return _function("threshold", "{threshold}, 0.0", threshold=op.threshold)


@RULES.rule(activation.Glu)
def _glu(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Glu)
    return _function("glu", "axis={axis}", axis=op.axis)


@RULES.rule(activation.Softmax)
def _softmax(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Softmax)
    return LayerCall((layer("Softmax", {}, {"axis": (op.axis, -1)}),))


@RULES.rule(activation.Squash)
def _squash(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Squash)
    return own("Squash", {}, {"axis": (op.axis, -1)})


@RULES.rule(activation.LogSoftmax)
def _log_softmax(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.LogSoftmax)
    return _function("log_softmax", "axis={axis}", axis=op.axis)


def _function(name: str, arguments: str, **numbers: Constant) -> LayerCall:
    return LayerCall((function(name, f"ops.{name}({{x}}, {arguments})", numbers),))


@RULES.rule(activation.Tanh)
def _tanh(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Tanh)
    if op.scale == op.slope == 1:
        return _activation("tanh")
    numbers: dict[str, Constant] = {"scale": op.scale, "slope": op.slope}
    return LayerCall((function("(multiply|tanh)", "{scale} * ops.tanh({slope} * {x})", numbers),))


@RULES.rule(activation.Scale)
def _scale(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Scale)
    return LayerCall((function("multiply", "{factor} * {x}", {"factor": op.factor}),))


@RULES.rule(activation.Clip)
def _clip(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, activation.Clip)
    if op.min is None:
        return _function("minimum", "{most}", most=op.max)
    if op.max is None:
        return _function("maximum", "{least}", least=op.min)
    return _function("clip", "{least}, {most}", least=op.min, most=op.max)


@RULES.rule(activation.PRelu)
def _prelu(node: Node) -> LayerCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, activation.PRelu)
    first = 2 if op.per_channel else 1
    shared = tuple(range(first, tensor.rank))
    shape = tuple(size if axis < first else 1 for axis, size in enumerate(tensor.sizes, start=1))
    made = layer("PReLU", {}, {"shared_axes": (shared or None, None)})
    return LayerCall((made,), (WeightLayout("weight", shape=shape),))


@RULES.rule(dropout.Dropout)
def _dropout(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, dropout.Dropout)
    if op.p == 0:
        return LayerCall()
    return LayerCall((layer("Dropout", {"rate": op.p}),))


@RULES.rule(dropout.SpatialDropout)
def _spatial_dropout(node: Node) -> LayerCall:
    op, d = node.op, axes_of(node)
    assert isinstance(op, dropout.SpatialDropout)
    if op.p == 0:
        return LayerCall()
    if d == 1:  # whose own layer takes the channels last alone
        return LayerCall((layer("Dropout", {"rate": op.p}, {"noise_shape": ((None, None, 1), None)}),))
    return LayerCall((layer(f"SpatialDropout{d}D", {"rate": op.p}, {"data_format": FIRST}),))


@RULES.rule(dropout.StochasticDepth)
def _stochastic_depth(node: Node) -> LayerCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, dropout.StochasticDepth)
    if op.p == 0:
        return LayerCall()
    shape: Constant = (None if op.mode == "row" else 1, *(1,) * len(tensor.sizes))
    return LayerCall((layer("Dropout", {"rate": op.p}, {"noise_shape": (shape, None)}),))
