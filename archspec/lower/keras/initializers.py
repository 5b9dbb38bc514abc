"""How weights start in Keras, where the spec says how or an op has a start of its own.

Layers of which the spec says nothing start as Keras' own do, as in PyTorch they start as PyTorch's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import Any

from archspec.ir.graph import Node
from archspec.ir.initializers import gain
from archspec.ir.types import Initializer, Weight
from archspec.lower.keras.constants import listed
from archspec.lower.keras.helper_classes import helper, helper_classes
from archspec.lower.keras.rules.common import LayerCall, WeightLayout
from archspec.lower.text.code_model import Argument, Call, Constant, Hole, Options
from archspec.lower.text.code_model import call as written_call
from archspec.lower.text.constants import enter, is_large
from archspec.ops import attention, conv, linear, norm

_OF_THE_FRAMEWORK = (conv.Conv, conv.ConvTranspose, linear.Linear, attention.MultiHeadAttention)
"""Ops that start as PyTorch has it, and so, in Keras, as Keras has it."""

_VARIABLES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "layers.BatchNormalization", "layers.LayerNormalization", "layers.GroupNormalization", "Affine",
            "LayerScale",
        ),
        ("gamma", "beta"),
    ),
    **dict.fromkeys((f"layers.DepthwiseConv{d}D" for d in (1, 2)), ("depthwise", "bias")),
    **dict.fromkeys(("layers.Embedding", "PositionEmbedding"), ("embeddings", "")),
    "layers.PReLU": ("alpha", ""),
    "ClassToken": ("token", ""),
}  # fmt: skip
"""What layers call a weight and a bias, if not kernel and bias."""

_USUAL: Mapping[str, Constant] = {
    "kernel": "glorot_uniform", "depthwise": "glorot_uniform", "embeddings": "uniform", "gamma": "ones",
}  # fmt: skip
"""What variables start from in Keras, if not from zeros."""


def started(node: Node, rule: LayerCall, tables: dict[str, object]) -> LayerCall:
    """A rule with the arguments that start and freeze the weights of its layer; many numbers are entered in `tables`.

    What Keras has no distribution for, or holds in a variable together with what starts otherwise, is left to Keras.
    """
    if node.owner is not None or not rule.holds:
        return rule
    place = next(i for i, call in enumerate(rule.calls) if call.template is None)
    made = rule.calls[place]
    if not made.callee.startswith("layers.") and made.callee not in helper_classes():
        return rule  # a plugin's layer, which may have no such arguments
    found = _starts(node, rule.holds, made.callee)
    for variable, start in found.items():
        if isinstance(start, Call) and start.callee == "Listed" and is_large(start.arguments["values"]):
            table = enter(tables, f"{node.name}.{variable}", start.arguments["values"])
            found[variable] = replace(start, arguments={"values": Hole(table)})
    arguments = {f"{variable}_initializer": start for variable, start in found.items()}
    defaults = {f"{variable}_initializer": _USUAL.get(variable, "zeros") for variable in found}
    if _is_frozen(node) and "trainable" not in made.arguments:
        arguments["trainable"] = False
    made = replace(made, arguments={**made.arguments, **arguments}, defaults={**made.defaults, **defaults})
    own = [start.callee for start in found.values() if isinstance(start, Call) and "." not in start.callee]
    helpers = (*rule.helpers, *map(helper, own))
    calls = (*rule.calls[:place], made, *rule.calls[place + 1 :])
    return replace(rule, calls=calls, helpers=helpers)


def frozen_alone(node: Node, rule: LayerCall) -> tuple[str, ...]:
    """The variables of a layer that do not learn while something of it does; none where all of it stays as it is."""
    if node.owner is not None or not rule.holds or _is_frozen(node):
        return ()
    callee = next(call.callee for call in rule.calls if call.template is None)
    weight, bias = _VARIABLES.get(callee, ("kernel", "bias"))
    weight = weight.replace("depthwise", "kernel")  # which is what the argument alone is called by
    kept = [each.name for each in node.weights if not each.trainable and not each.buffer]
    return tuple(dict.fromkeys(bias if name.endswith("bias") else weight for name in kept))


def _is_frozen(node: Node) -> bool:
    """Whether nothing in a layer learns. Batch normalization would then leave its running mean as it is, too."""
    learned = [weight for weight in node.weights if not weight.buffer]
    frozen = bool(learned) and not any(weight.trainable for weight in learned)
    return frozen and not isinstance(node.op, norm.BatchNorm)


def _starts(node: Node, holds: Sequence[WeightLayout], callee: str) -> dict[str, Argument]:
    """The start of each variable."""
    found: dict[str, list[Argument | None]] = {}
    weights = {weight.name: weight for weight in node.weights if not weight.buffer}
    defaults = {weight.name: weight.initializer for weight in node.op.weights(node.input_types)}
    weight_variable, bias_variable = _VARIABLES.get(callee, ("kernel", "bias"))
    for held in holds:
        if held.weight in weights:
            weight = weights[held.weight]
            left = isinstance(node.op, _OF_THE_FRAMEWORK) and weight.initializer == defaults[weight.name]
            variable = bias_variable if held.weight.endswith("bias") else weight_variable
            found.setdefault(variable, []).append(None if left else starting(weight, held))
    return {
        variable: first
        for variable, (first, *others) in found.items()
        if first is not None and all(other == first for other in others)
    }


def starting(weight: Weight, held: WeightLayout) -> Argument | None:
    """The initializer of a variable: its name in Keras, or its construction; None where there is none."""
    options: Mapping[str, Any] = weight.initializer.options
    kind = weight.initializer.kind
    match kind:
        case "zeros" | "ones":
            return kind
        case "constant":
            named = {0.0: "zeros", 1.0: "ones"}.get(options["value"])
            return named or _made("Constant", {"value": options["value"]}, {})
        case "values":
            values = listed(options["values"], weight.shape, held)
            return Call("Listed", {"values": values}, 1)
        case "normal":
            return _normal(options.get("std", 1.0), options.get("mean", 0.0))
        case "trunc_normal":
            return _cut_normal(options["std"], options["mean"])
        case "uniform":
            return _uniform(options["low"], options["high"])
        case "orthogonal":
            columns = held.sizes(weight.shape)[-1]
            usual = options["gain"] == 1
            made = "orthogonal" if usual else _made("Orthogonal", {}, {"gain": (options["gain"], 1.0)})
            return made if columns == weight.shape[0] or len(weight.shape) == 2 else None
        case "bilinear":
            return Call("Bilinear") if held.sizes(weight.shape)[-2:] == weight.shape[1::-1] else None
        case "dirac":
            return None
    return _scaled(weight.initializer, weight, held)


def _scaled(initializer: Initializer, weight: Weight, held: WeightLayout) -> Argument:
    """A distribution whose variance is that of a fan: of Glorot and Bengio, or of He et al."""
    options: Mapping[str, Any] = initializer.options
    shape = held.sizes(weight.shape)
    name, _, distribution = initializer.kind.partition("_")
    taps, own_taps = prod(weight.shape[2:]), prod(shape[:-2])
    fans = _fans(weight.shape[1] * taps, weight.shape[0] * taps)
    own = _fans(shape[-2] * own_taps, shape[-1] * own_taps)
    factor = options["gain"] if name == "xavier" else gain(options["nonlinearity"])
    scale = round(factor**2, 12)
    wanted = "fan_avg" if name == "xavier" else options["mode"]
    mode = next((mode for mode in (wanted, *own) if own[mode] == fans[wanted]), None)
    std = sqrt(scale / fans[wanted])
    if mode is None:
        return _uniform(-sqrt(3) * std, sqrt(3) * std) if distribution == "uniform" else _normal(std)
    if distribution == "uniform":
        named = {(1.0, "fan_avg"): "glorot_uniform", (2.0, "fan_in"): "he_uniform"}.get((scale, mode))
        return named or _variance(scale, mode, "uniform")
    return _variance(scale, mode, "untruncated_normal")


def _fans(fan_in: int, fan_out: int) -> dict[str, float]:
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}


def _variance(scale: float, mode: str, distribution: str) -> Call:
    return _made("VarianceScaling", {"scale": scale, "mode": mode, "distribution": distribution}, {})


def _uniform(low: float, high: float) -> Argument:
    return _made("RandomUniform", {}, {"minval": (low, -0.05), "maxval": (high, 0.05)})


def _normal(std: float, mean: float = 0.0) -> Argument:
    return _made("RandomNormal", {}, {"mean": (mean, 0.0), "stddev": (std, 0.05)})


def _cut_normal(std: float, mean: float) -> Argument | None:
    """Keras cuts at two standard deviations, the spec at -2 and 2: the same, or where nothing is left to cut."""
    if abs(mean) + 8 * std <= 2:
        return _normal(std, mean)
    usual: Options = {"mean": (mean, 0.0), "stddev": (std, 0.05)}
    return _made("TruncatedNormal", {}, usual) if (std, mean) == (1, 0) else None


def _made(kind: str, required: Mapping[str, Constant], optional: Options) -> Call:
    return written_call(f"initializers.{kind}", required, optional)
