"""Matrix products, normalization and activations."""

from __future__ import annotations

from collections.abc import Callable
from math import isclose

import numpy as np

from tools.onnx_nodes.reading import (
    Array,
    Example,
    Layer,
    NotApplicable,
    along,
    as_is,
    in_a_batch_of_one,
    plain,
    reads,
    weights_of,
)


@reads("Gemm")
def _gemm(example: Example) -> Layer:
    if example.attributes.get("transA", 0) or any(example.attributes.get(name, 1) != 1 for name in ("alpha", "beta")):
        raise NotApplicable("a scaled product, or a transposed input")
    weight, bias = example.needed(1), example.optional(2)
    weight = weight if example.attributes.get("transB", 0) else weight.T
    if bias is not None:
        if bias.ndim == 2 and bias.shape[0] > 1:
            raise NotApplicable("a bias per row")
        bias = np.broadcast_to(bias.reshape(-1), weight.shape[:1])
    attributes = {"features": weight.shape[0], "bias": bias is not None}
    return Layer("linear", attributes, (example.x,), example.outputs[0], weights_of(weight, bias))


@reads("MatMul")
def _matmul(example: Example) -> Layer:
    weight = example.needed(1)
    if min(weight.ndim, example.x.ndim) < 2:
        raise NotApplicable("a product with a vector")
    if weight.ndim > 2:
        shared = example.x.shape[0] == weight.shape[0] == example.outputs[0].shape[0]
        return _product(example, as_is if shared else in_a_batch_of_one)
    attributes = {"features": weight.shape[1], "bias": False}
    return Layer("linear", attributes, (example.x,), example.outputs[0], {"weight": weight.T})


def _product(example: Example, room: Callable[[Array], Array]) -> Layer:
    return Layer("matmul", {}, (room(example.x), room(example.needed(1))), room(example.outputs[0]))


@reads("BatchNormalization")
def _batch_norm(example: Example) -> Layer:
    names = ("weight", "bias", "running_mean", "running_var")
    weights = {name: example.needed(index) for index, name in enumerate(names, start=1)}
    attributes = {"eps": float(example.attributes.get("epsilon", 1e-5))}
    tracked = {"num_batches_tracked": np.array(0, np.int64)}
    return Layer("batch_norm", attributes, (example.x,), example.outputs[0], weights | tracked)


@reads("LpNormalization")
def _l2_normalize(example: Example) -> Layer:
    if example.attributes.get("p", 2) != 2:
        raise NotApplicable("a norm other than L2")
    axis, room = along(example, example.attributes.get("axis", -1))
    return Layer("l2_normalize", {"axis": axis}, (room(example.x),), room(example.outputs[0]))


@reads("LayerNormalization")
def _layer_norm(example: Example) -> Layer:
    axis, room = along(example, example.attributes.get("axis", -1))
    x = room(example.x)
    attributes = {"axes": x.ndim - axis, "eps": float(example.attributes.get("epsilon", 1e-5))}
    weights = {name: example.needed(i).reshape(x.shape[axis:]) for i, name in enumerate(("weight", "bias"), 1)}
    return Layer("layer_norm", attributes, (x,), room(example.outputs[0]), weights)


@reads("GroupNormalization", "InstanceNormalization")
def _group_norm(example: Example) -> Layer:
    attributes = {"eps": float(example.attributes.get("epsilon", 1e-5))}
    weights = weights_of(example.needed(1), example.needed(2))
    if example.operator == "InstanceNormalization":
        return Layer("instance_norm", attributes | {"affine": True}, (example.x,), example.outputs[0], weights)
    attributes["groups"] = example.attributes["num_groups"]
    return Layer("group_norm", attributes, (example.x,), example.outputs[0], weights)


@reads("LRN")
def _local_response_norm(example: Example) -> Layer:
    given = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0} | dict(example.attributes)
    attributes = {"size": given["size"], "alpha": given["alpha"], "beta": given["beta"], "k": given["bias"]}
    return plain("local_response_norm", example, **attributes)


REDUCTIONS = {
    "ReduceMean": "reduce_mean", "ReduceSum": "reduce_sum", "ReduceProd": "reduce_prod", "ReduceMax": "reduce_max",
    "ReduceMin": "reduce_min", "ReduceL2": "reduce_l2",
}  # fmt: skip


@reads(*REDUCTIONS)
def _reduction(example: Example) -> Layer:
    axes = example.numbers(1) or list(example.attributes.get("axes", ()))
    if not axes and example.attributes.get("noop_with_empty_axes", 0):
        raise NotApplicable("no axes")
    places = sorted(axis % example.x.ndim + 1 for axis in axes or range(example.x.ndim))
    attributes = {"axis": places, "keepdim": bool(example.attributes.get("keepdims", 1))}
    return Layer(REDUCTIONS[example.operator], attributes, (example.x[None],), example.outputs[0][None])


# --- activations ----------------------------------------------------------------------------------------------------

ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hard_swish", "Mish": "mish",
    "Softplus": "softplus", "Softsign": "softsign", "Identity": "identity", "Abs": "abs", "Neg": "neg", "Sqrt": "sqrt",
    "Reciprocal": "reciprocal", "Exp": "exp", "Log": "log", "Erf": "erf", "Sin": "sin", "Cos": "cos",
    "Floor": "floor", "Ceil": "ceil", "Round": "round",
}  # fmt: skip


@reads(*ACTIVATIONS)
def _activation(example: Example) -> Layer:
    return plain(ACTIVATIONS[example.operator], example)


@reads("LeakyRelu")
def _leaky_relu(example: Example) -> Layer:
    return plain("leaky_relu", example, slope=example.attributes.get("alpha", 0.01))


@reads("PRelu")
def _prelu(example: Example) -> Layer:
    slope = example.needed(1)
    if slope.size not in (1, example.x.shape[1]) or slope.size != max(slope.shape[:1], default=1):
        raise NotApplicable("a slope per position, or along another axis than the channels")
    attributes = {"per_channel": slope.size > 1}
    return Layer("prelu", attributes, (example.x,), example.outputs[0], {"weight": slope.reshape(-1)})


@reads("Elu")
def _elu(example: Example) -> Layer:
    return plain("elu", example, alpha=example.attributes.get("alpha", 1.0))


@reads("Celu")
def _celu(example: Example) -> Layer:
    return plain("celu", example, alpha=example.attributes.get("alpha", 1.0))


@reads("ThresholdedRelu")
def _threshold(example: Example) -> Layer:
    return plain("threshold", example, threshold=example.attributes.get("alpha", 1.0))


@reads("Clip")
def _clip(example: Example) -> Layer:
    bounds = {"min": example.optional(1), "max": example.optional(2)}
    attributes = {name: float(bound) for name, bound in bounds.items() if bound is not None}
    if not attributes:
        raise NotApplicable("no bounds")
    return Layer("clip", attributes, (example.x,), example.outputs[0])


@reads("Gelu")
def _gelu(example: Example) -> Layer:
    return plain("gelu", example, approximate=example.attributes.get("approximate", "none"))


CONSTANTS = {
    "Selu": ("selu", {"alpha": (1.67326319, 1.67326319), "gamma": (1.05070102, 1.05070102)}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": (0.2, 1 / 6), "beta": (0.5, 0.5)}),
    "Swish": ("silu", {"alpha": (1.0, 1.0)}),
}
"""Activations with fixed constants: the op, and for each constant ONNX's default and the op's value."""


@reads(*CONSTANTS)
def _fixed(example: Example) -> Layer:
    kind, numbers = CONSTANTS[example.operator]
    for name, (default, ours) in numbers.items():
        if not isclose(example.attributes.get(name, default), ours, rel_tol=1e-6):
            raise NotApplicable(f"'{kind}' has fixed constants")
    return plain(kind, example)


@reads("Softmax", "LogSoftmax")
def _softmax(example: Example) -> Layer:
    axis, room = along(example, example.attributes.get("axis", -1))
    kind = "softmax" if example.operator == "Softmax" else "log_softmax"
    return Layer(kind, {"axis": axis}, (room(example.x),), room(example.outputs[0]))


@reads("Dropout")
def _dropout(example: Example) -> Layer:
    training, ratio = example.optional(2), example.optional(1)
    if training is not None and training.item():
        raise NotApplicable("dropout in training is random")
    share = float(example.attributes.get("ratio", 0.5) if ratio is None else ratio)
    return Layer("dropout", {"p": share}, (example.x,), example.outputs[0])
