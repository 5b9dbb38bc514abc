"""Activations in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, both, helper_module, of_weights
from archspec.ops import activation

_ACTIVATIONS: Mapping[type[ops.Op], tuple[str, str, Mapping[str, tuple[str, Constant]]]] = {
    activation.Relu: ("nn.ReLU", "F.relu", {}),
    activation.Relu6: ("nn.ReLU6", "F.relu6", {}),
    activation.LeakyRelu: ("nn.LeakyReLU", "F.leaky_relu", {"slope": ("negative_slope", 0.01)}),
    activation.Elu: ("nn.ELU", "F.elu", {"alpha": ("alpha", 1.0)}),
    activation.Selu: ("nn.SELU", "F.selu", {}),
    activation.Sigmoid: ("nn.Sigmoid", "torch.sigmoid", {}),
    activation.HardSigmoid: ("nn.Hardsigmoid", "F.hardsigmoid", {}),
    activation.Gelu: ("nn.GELU", "F.gelu", {"approximate": ("approximate", "none")}),
    activation.Silu: ("nn.SiLU", "F.silu", {}),
    activation.HardSwish: ("nn.Hardswish", "F.hardswish", {}),
    activation.Mish: ("nn.Mish", "F.mish", {}),
    activation.Softplus: ("nn.Softplus", "F.softplus", {}),
    activation.HardTanh: ("nn.Hardtanh", "F.hardtanh", {}),
    activation.Softsign: ("nn.Softsign", "F.softsign", {}),
    activation.Celu: ("nn.CELU", "F.celu", {"alpha": ("alpha", 1.0)}),
    activation.LogSigmoid: ("nn.LogSigmoid", "F.logsigmoid", {}),
    activation.Glu: ("nn.GLU", "F.glu", {"axis": ("dim", -1)}),
    activation.Softmax: ("nn.Softmax", "F.softmax", {"axis": ("dim", None)}),
    activation.LogSoftmax: ("nn.LogSoftmax", "F.log_softmax", {"axis": ("dim", None)}),
}
"""The module, the function, and for each attribute of the op the argument and its default."""

_INPLACE = (
    activation.Relu, activation.Relu6, activation.LeakyRelu, activation.Elu, activation.Selu, activation.HardSigmoid,
    activation.Silu, activation.HardSwish, activation.Mish,
)  # fmt: skip


@RULES.rule(*_ACTIVATIONS)
def _activation(op: ops.Op, node: Node) -> ModuleCall:
    module, name, attributes = _ACTIVATIONS[type(op)]
    optional = {argument: (getattr(op, key), default) for key, (argument, default) in attributes.items()}
    return both(call(module, {}, optional, inplace=_can_overwrite(op)), name)


def _can_overwrite(op: object) -> bool:
    """Whether the gradient can be computed from the output alone, whose sign must be that of the input."""
    return type(op) in _INPLACE and not (isinstance(op, activation.LeakyRelu) and op.slope < 0)


@RULES.rule(activation.Tanh)
def _tanh(op: activation.Tanh, node: Node) -> ModuleCall:
    if op.scale == op.slope == 1:
        return both(call("nn.Tanh", {}, {}), "torch.tanh")
    numbers: dict[str, Constant] = {"scale": op.scale, "slope": op.slope}
    as_function = function("tanh", "{scale} * torch.tanh({slope} * {x})", numbers)
    return replace(helper_module("ScaledTanh", numbers), function=as_function)


@RULES.rule(activation.Squash)
def _squash(op: activation.Squash, node: Node) -> ModuleCall:
    return helper_module("Squash", {}, {"dim": (op.axis, -1)})


@RULES.rule(activation.PRelu)
def _prelu(op: activation.PRelu, node: Node) -> ModuleCall:
    required: dict[str, Constant] = {"num_parameters": node.inputs[0].type.channels} if op.per_channel else {}
    return ModuleCall(call("nn.PReLU", required, {"init": (op.slope, 0.25)}))


@SHARED_RULES.rule(activation.PRelu)
def _shared_prelu(op: activation.PRelu, node: Node) -> ModuleCall:
    return ModuleCall(function=of_weights("F.prelu", ("weight",)))


@RULES.rule(activation.Threshold)
def _threshold(op: activation.Threshold, node: Node) -> ModuleCall:
    return both(call("nn.Threshold", {"threshold": op.threshold, "value": 0.0}, {}), "F.threshold")


@RULES.rule(activation.Scale)
def _scale(op: activation.Scale, node: Node) -> ModuleCall:
    return ModuleCall(function=function("scale", "{factor} * {x}", {"factor": op.factor}))


@RULES.rule(activation.Clip)
def _clip(op: activation.Clip, node: Node) -> ModuleCall:
    return ModuleCall(function=call("torch.clamp", {}, {"min": (op.min, None), "max": (op.max, None)}))
