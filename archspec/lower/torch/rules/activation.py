"""Functions of one element, softmax, and joins in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import axes_of, both, family, own
from archspec.ops import activation, dropout, merge

RULES = family("pointwise")


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
"""The module, the function, and for each attribute of the op the argument it becomes, with that one's default."""

_INPLACE = frozenset((
    activation.Relu, activation.Relu6, activation.LeakyRelu, activation.Elu, activation.Selu, activation.HardSigmoid,
    activation.Silu, activation.HardSwish, activation.Mish,
))  # fmt: skip


@RULES.rule(*_ACTIVATIONS)
def _activation(node: Node) -> ModuleCall:
    module, name, attributes = _ACTIVATIONS[type(node.op)]  # type: ignore[index]  # rules are entered by op class
    optional = {argument: (getattr(node.op, key), default) for key, (argument, default) in attributes.items()}
    return both(call(module, {}, optional, inplace=_can_overwrite(node.op)), name)


def _can_overwrite(op: object) -> bool:
    """Whether the gradient can be worked out from what is made alone; its sign must tell that of the input."""
    return type(op) in _INPLACE and not (isinstance(op, activation.LeakyRelu) and op.slope < 0)


@RULES.rule(activation.Tanh)
def _tanh(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.Tanh)
    if op.scale == op.slope == 1:
        return both(call("nn.Tanh", {}, {}), "torch.tanh")
    numbers: dict[str, Constant] = {"scale": op.scale, "slope": op.slope}
    written = function("tanh", "{scale} * torch.tanh({slope} * {x})", numbers)
    return replace(own("ScaledTanh", numbers), function=written)


@RULES.rule(activation.Squash)
def _squash(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.Squash)
    return own("Squash", {}, {"dim": (op.axis, -1)})


@RULES.rule(activation.PRelu)
def _prelu(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.PRelu)
    required: dict[str, Constant] = {"num_parameters": node.inputs[0].type.channels} if op.per_channel else {}
    return ModuleCall(call("nn.PReLU", required, {"init": (op.slope, 0.25)}))


@RULES.rule(activation.Threshold)
def _threshold(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.Threshold)
    return both(call("nn.Threshold", {"threshold": op.threshold, "value": 0.0}, {}), "F.threshold")


@RULES.rule(activation.Scale)
def _scale(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.Scale)
    return ModuleCall(function=function("scale", "{factor} * {x}", {"factor": op.factor}))


@RULES.rule(activation.Clip)
def _clip(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, activation.Clip)
    return ModuleCall(function=call("torch.clamp", {}, {"min": (op.min, None), "max": (op.max, None)}))


@RULES.rule(dropout.SpatialDropout)
def _spatial_dropout(node: Node) -> ModuleCall:
    op, d = node.op, axes_of(node)
    assert isinstance(op, dropout.SpatialDropout)
    written = function(f"F.dropout{d}d", f"F.dropout{d}d({{x}}, {{p}}, self.training)", {"p": float(op.p)})
    return ModuleCall(call(f"nn.Dropout{d}d", {"p": float(op.p)}, {}), written)


@RULES.rule(dropout.StochasticDepth)
def _stochastic_depth(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, dropout.StochasticDepth)
    return own("StochasticDepth", {"p": float(op.p)}, {"mode": (op.mode, "row")})


@RULES.rule(dropout.Dropout)
def _dropout(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, dropout.Dropout)
    written = function("F.dropout", "F.dropout({x}, {p}, self.training)", {"p": float(op.p)})
    return ModuleCall(call("nn.Dropout", {"p": float(op.p)}, {}), written)


@RULES.rule(merge.Add)
def _add(node: Node) -> ModuleCall:
    return ModuleCall(function=function("+", "{sum}"))


@RULES.rule(merge.Mul)
def _mul(node: Node) -> ModuleCall:
    return ModuleCall(function=function("*", "{product}"))


@RULES.rule(merge.Mean)
def _mean(node: Node) -> ModuleCall:
    return ModuleCall(function=function("mean", f"({{sum}}) / {len(node.inputs)}"))


@RULES.rule(merge.Max)
def _max(node: Node) -> ModuleCall:
    if len(node.inputs) == 2:
        return ModuleCall(function=function("torch.maximum", "torch.maximum({all})"))
    return ModuleCall(function=function("torch.amax", "torch.stack([{all}]).amax(dim=0)"))


@RULES.rule(merge.Concat)
def _concat(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, merge.Concat)
    return ModuleCall(function=function("torch.cat", "torch.cat([{all}], dim={dim})", {"dim": op.axis}))
