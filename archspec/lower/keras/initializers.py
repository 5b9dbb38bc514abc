"""Initializers in Keras, for weights whose initializer comes from the spec or from the op.

Other layers keep the default initializers of Keras, as they keep those of PyTorch in PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import Any

from archspec.ir.graph import Node
from archspec.ir.initializers import gain
from archspec.ir.types import Initializer, Weight
from archspec.lower.keras.constants import nested_values
from archspec.lower.keras.helper_classes import helper, helper_classes
from archspec.lower.keras.rules.common import LayerCall, WeightLayout
from archspec.lower.text.code_model import Argument, Call, Constant, Options, ParameterExpr
from archspec.lower.text.code_model import call as new_call
from archspec.lower.text.constants import enter, is_large
from archspec.ops import attention, conv, linear, norm

_FRAMEWORK_DEFAULTS = (conv.Conv, conv.ConvTranspose, linear.Linear, attention.MultiHeadAttention)
"""Ops whose default initializer is that of the framework: of PyTorch in PyTorch, of Keras in Keras."""

_VARIABLES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "layers.BatchNormalization", "layers.LayerNormalization", "layers.GroupNormalization", "Affine",
            "LayerScale", "RootMeanSquareNormalization",
        ),
        ("gamma", "beta"),
    ),
    **dict.fromkeys((f"layers.DepthwiseConv{d}D" for d in (1, 2)), ("depthwise", "bias")),
    **dict.fromkeys(("layers.Embedding", "PositionEmbedding"), ("embeddings", "")),
    "layers.PReLU": ("alpha", ""),
    "ClassToken": ("token", ""),
    "Parameter": ("values", ""),
}  # fmt: skip
"""The variables that hold weight and bias in a layer, if not kernel and bias."""

_DEFAULTS: Mapping[str, Constant] = {
    "kernel": "glorot_uniform", "depthwise": "glorot_uniform", "embeddings": "uniform", "gamma": "ones",
}  # fmt: skip
"""The default initializers of variables in Keras, if not zeros."""


def with_initializers(node: Node, layer_call: LayerCall, tables: dict[str, object]) -> LayerCall:
    """Add the arguments that initialize and freeze the weights of a layer.

    A weight keeps the default of Keras if Keras has no such distribution, or if it is in one variable with weights
    that are initialized differently.

    Args:
        node: the node of the layer.
        layer_call: the call that its rule returned.
        tables: the tables of numbers of the source; long lists of numbers are added to them.
    """
    if node.owner is not None or not layer_call.weights:
        return layer_call
    index = next(i for i, call in enumerate(layer_call.calls) if call.template is None)
    layer = layer_call.calls[index]
    if not layer.callee.startswith("layers.") and layer.callee not in helper_classes():
        return layer_call  # a plugin's layer, which may have no such arguments
    initializers = _initializers(node, layer_call.weights, layer.callee)
    for variable, value in initializers.items():
        if isinstance(value, Call) and value.callee == "Listed" and is_large(value.arguments["values"]):
            table = enter(tables, f"{node.name}.{variable}", value.arguments["values"])
            initializers[variable] = replace(value, arguments={"values": ParameterExpr(table)})
    arguments = {f"{variable}_initializer": value for variable, value in initializers.items()}
    defaults = {f"{variable}_initializer": _DEFAULTS.get(variable, "zeros") for variable in initializers}
    if _is_frozen(node) and "trainable" not in layer.arguments:
        arguments["trainable"] = False
    layer = replace(layer, arguments={**layer.arguments, **arguments}, defaults={**layer.defaults, **defaults})
    helpers = [value.callee for value in initializers.values() if isinstance(value, Call) and "." not in value.callee]
    return replace(
        layer_call,
        calls=(*layer_call.calls[:index], layer, *layer_call.calls[index + 1 :]),
        helpers=(*layer_call.helpers, *map(helper, helpers)),
    )


def frozen_variables(node: Node, layer_call: LayerCall) -> tuple[str, ...]:
    """The variables of a layer that are not trainable although others of it are."""
    if node.owner is not None or not layer_call.weights or _is_frozen(node):
        return ()
    callee = next(call.callee for call in layer_call.calls if call.template is None)
    weight, bias = _VARIABLES.get(callee, ("kernel", "bias"))
    weight = weight.replace("depthwise", "kernel")  # only the argument is called depthwise_initializer
    frozen = [each.name for each in node.weights if not each.trainable and not each.buffer]
    return tuple(dict.fromkeys(bias if name.endswith("bias") else weight for name in frozen))


def _is_frozen(node: Node) -> bool:
    """Whether a layer is not trainable. Never batch normalization: Keras would stop to update its running mean."""
    parameters = [weight for weight in node.weights if not weight.buffer]
    is_frozen = bool(parameters) and not any(weight.trainable for weight in parameters)
    return is_frozen and not isinstance(node.op, norm.BatchNorm)


def _initializers(node: Node, layouts: Sequence[WeightLayout], callee: str) -> dict[str, Argument]:
    """The initializer of each variable that does not keep its default."""
    candidates: dict[str, list[Argument | None]] = {}
    weights = {weight.name: weight for weight in node.weights if not weight.buffer}
    defaults = {weight.name: weight.initializer for weight in node.op.weights(node.input_types)}
    weight_variable, bias_variable = _VARIABLES.get(callee, ("kernel", "bias"))
    for layout in layouts:
        if layout.weight in weights:
            weight = weights[layout.weight]
            keeps = isinstance(node.op, _FRAMEWORK_DEFAULTS) and weight.initializer == defaults[weight.name]
            variable = bias_variable if layout.weight.endswith("bias") else weight_variable
            candidates.setdefault(variable, []).append(None if keeps else keras_initializer(weight, layout))
    return {
        variable: first
        for variable, (first, *others) in candidates.items()
        if first is not None and all(other == first for other in others)
    }


def keras_initializer(weight: Weight, layout: WeightLayout) -> Argument | None:
    """The initializer of a weight in Keras: its name or its construction, or None if Keras has none like it."""
    options: Mapping[str, Any] = weight.initializer.options
    kind = weight.initializer.kind
    match kind:
        case "zeros" | "ones":
            return kind
        case "constant":
            name = {0.0: "zeros", 1.0: "ones"}.get(options["value"])
            return name or _new("Constant", {"value": options["value"]}, {})
        case "values":
            values = nested_values(options["values"], weight.shape, layout)
            return Call("Listed", {"values": values}, 1)
        case "normal":
            return _normal(options.get("std", 1.0), options.get("mean", 0.0))
        case "trunc_normal":
            return _truncated_normal(options["std"], options["mean"])
        case "uniform":
            return _uniform(options["low"], options["high"])
        case "orthogonal":
            columns = layout.sizes(weight.shape)[-1]
            is_default = options["gain"] == 1
            call = "orthogonal" if is_default else _new("Orthogonal", {}, {"gain": (options["gain"], 1.0)})
            return call if columns == weight.shape[0] or len(weight.shape) == 2 else None
        case "bilinear":
            return Call("Bilinear") if layout.sizes(weight.shape)[-2:] == weight.shape[1::-1] else None
        case "dirac":
            return None
    return _variance_scaling(weight.initializer, weight, layout)


def _variance_scaling(initializer: Initializer, weight: Weight, layout: WeightLayout) -> Argument:
    """The initializers of Glorot and Bengio and of He et al., whose variance depends on a fan of the weight.

    Keras computes fans from the shape in the layer. If none of them is the fan of the spec, the range is written as a
    number.
    """
    options: Mapping[str, Any] = initializer.options
    shape = layout.sizes(weight.shape)
    scheme, _, distribution = initializer.kind.partition("_")
    taps, layer_taps = prod(weight.shape[2:]), prod(shape[:-2])
    fans = _fans(weight.shape[1] * taps, weight.shape[0] * taps)
    layer_fans = _fans(shape[-2] * layer_taps, shape[-1] * layer_taps)
    factor = options["gain"] if scheme == "xavier" else gain(options["nonlinearity"])
    scale = round(factor**2, 12)
    wanted = "fan_avg" if scheme == "xavier" else options["mode"]
    mode = next((mode for mode in (wanted, *layer_fans) if layer_fans[mode] == fans[wanted]), None)
    std = sqrt(scale / fans[wanted])
    if mode is None:
        return _uniform(-sqrt(3) * std, sqrt(3) * std) if distribution == "uniform" else _normal(std)
    if distribution == "uniform":
        name = {(1.0, "fan_avg"): "glorot_uniform", (2.0, "fan_in"): "he_uniform"}.get((scale, mode))
        return name or _variance(scale, mode, "uniform")
    return _variance(scale, mode, "untruncated_normal")


def _fans(fan_in: int, fan_out: int) -> dict[str, float]:
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}


def _variance(scale: float, mode: str, distribution: str) -> Call:
    return _new("VarianceScaling", {"scale": scale, "mode": mode, "distribution": distribution}, {})


def _uniform(low: float, high: float) -> Argument:
    return _new("RandomUniform", {}, {"minval": (low, -0.05), "maxval": (high, 0.05)})


def _normal(std: float, mean: float = 0.0) -> Argument:
    return _new("RandomNormal", {}, {"mean": (mean, 0.0), "stddev": (std, 0.05)})


def _truncated_normal(std: float, mean: float) -> Argument | None:
    """A truncated normal. Keras truncates at two standard deviations, the spec at -2 and 2.

    They agree for the standard normal, and if the bounds are so far out that nothing is truncated.
    """
    if abs(mean) + 8 * std <= 2:
        return _normal(std, mean)
    options: Options = {"mean": (mean, 0.0), "stddev": (std, 0.05)}
    return _new("TruncatedNormal", {}, options) if (std, mean) == (1, 0) else None


def _new(kind: str, required: Mapping[str, Constant], optional: Options) -> Call:
    return new_call(f"initializers.{kind}", required, optional)
