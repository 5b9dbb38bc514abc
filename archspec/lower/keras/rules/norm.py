"""Normalizations in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer, layer
from archspec.lower.text.code_model import Call, Constant, ListLiteral, Options, function
from archspec.ops import norm


@RULES.rule(norm.BatchNorm)
def _batch_norm(op: norm.BatchNorm, node: Node) -> LayerCall:
    # Keras takes the weight of the old average, PyTorch that of the new one.
    momentum = round(1 - op.momentum, 12)
    numbers: Options = {"momentum": (momentum, 0.99), "epsilon": (op.eps, 0.001)}
    call = layer("BatchNormalization", {}, {"axis": (1, -1), **numbers, **_parameters(affine=op.affine)})
    running = (WeightLayout("running_mean"), WeightLayout("running_var"))
    return LayerCall((call,), (*_weights(affine=op.affine), *running))


@RULES.rule(norm.FrozenBatchNorm)
def _frozen_batch_norm(op: norm.FrozenBatchNorm, node: Node) -> LayerCall:
    numbers: Options = {"axis": (1, -1), "epsilon": (op.eps, 0.001)}
    call = layer("BatchNormalization", {}, {**numbers, "trainable": (False, True)})
    return LayerCall((call,), tuple(WeightLayout(weight.name) for weight in node.weights))


@RULES.rule(norm.LayerNorm)
def _layer_norm(op: norm.LayerNorm, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    axes = tuple(op.normalized_axes(tensor))
    axis: Constant = ListLiteral(axes) if len(axes) > 1 else -1
    call = layer(
        "LayerNormalization", {}, {"axis": (axis, -1), "epsilon": (op.eps, 0.001), **_parameters(affine=op.affine)}
    )
    if axes[-1] == tensor.rank - 1:
        return LayerCall((call,), _weights(affine=op.affine))
    # On PyTorch, Keras normalizes only the last axes.
    last = (0, *range(2, tensor.rank), 1)
    back = (0, tensor.rank - 1, *range(1, tensor.rank - 1))
    return LayerCall((_transposed(last), call, _transposed(back)), _weights(affine=op.affine))


@RULES.rule(norm.RmsNorm)
def _rms_norm(op: norm.RmsNorm, node: Node) -> LayerCall:
    axes: Constant = ListLiteral(range(-op.axes, 0)) if op.axes > 1 else -1
    if not op.affine:
        numbers: dict[str, Constant] = {"axis": axes, "epsilon": op.eps}
        template = "ops.rms_normalization({x}, axis={axis}, epsilon={epsilon})"
        return LayerCall((function("rms_norm", template, numbers),))
    # Keras' own layer takes no initializer.
    numbers_of: Options = {"axes": (op.axes, 1), "epsilon": (op.eps, 1e-6)}
    return helper_layer("RootMeanSquareNormalization", {}, numbers_of, (WeightLayout("weight"),))


def _transposed(axes: tuple[int, ...]) -> Call:
    return function("transpose", f"ops.transpose({{x}}, {axes})")


@RULES.rule(norm.GroupNorm, norm.InstanceNorm)
def _group_norm(op: norm.GroupNorm | norm.InstanceNorm, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    groups = op.groups if isinstance(op, norm.GroupNorm) else tensor.channels
    numbers: Options = {"axis": (1, -1), "epsilon": (op.eps, 0.001)}
    call = layer("GroupNormalization", {"groups": groups}, {**numbers, **_parameters(affine=op.affine)})
    return LayerCall((call,), _weights(affine=op.affine))


def _parameters(*, affine: bool) -> Options:
    return {"center": (affine, True), "scale": (affine, True)}


def _weights(*, affine: bool) -> tuple[WeightLayout, ...]:
    return (WeightLayout("weight"), WeightLayout("bias")) if affine else ()


@RULES.rule(norm.L2Normalize)
def _l2_normalize(op: norm.L2Normalize, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {"axis": op.axis, "epsilon": op.eps}
    return LayerCall((function("normalize", "ops.normalize({x}, axis={axis}, epsilon={epsilon})", numbers),))


@RULES.rule(norm.LocalResponseNorm)
def _local_response_norm(op: norm.LocalResponseNorm, node: Node) -> LayerCall:
    numbers: Options = {"alpha": (op.alpha, 1e-4), "beta": (op.beta, 0.75), "k": (op.k, 1.0)}
    return helper_layer("LocalResponseNormalization", {"size": op.size}, numbers)


@RULES.rule(norm.Affine)
def _affine(op: norm.Affine, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    shape = (tensor.channels, *(1 for _ in tensor.spatial))
    weights = tuple(WeightLayout(weight.name, shape=shape) for weight in node.weights)
    return helper_layer("Affine", {}, {"use_bias": (op.bias, True)}, weights)
