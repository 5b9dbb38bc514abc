"""Normalization layers in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, Options, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, axes_of, both, helper_module, of_weights
from archspec.ops import norm


@RULES.rule(norm.BatchNorm)
def _batch_norm(op: norm.BatchNorm, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    axes = max(1, len(tensor.spatial))
    optional = {"eps": (op.eps, 1e-5), "momentum": (op.momentum, 0.1), "affine": (op.affine, True)}
    return ModuleCall(call(f"nn.BatchNorm{axes}d", {"num_features": tensor.channels}, optional))


@RULES.rule(norm.FrozenBatchNorm)
def _frozen_batch_norm(op: norm.FrozenBatchNorm, node: Node) -> ModuleCall:
    return helper_module("FrozenBatchNorm", {"num_features": node.inputs[0].type.channels}, {"eps": (op.eps, 1e-5)})


@RULES.rule(norm.LayerNorm)
def _layer_norm(op: norm.LayerNorm, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    optional: Options = {"eps": (op.eps, 1e-5), "elementwise_affine": (op.affine, True)}
    if op.axes == "channels" and tensor.rank > 2:
        return helper_module("ChannelNorm", {"channels": tensor.channels}, optional)
    return ModuleCall(call("nn.LayerNorm", _normalized_shape(op.normalized(tensor)), optional))


@RULES.rule(norm.RmsNorm)
def _rms_norm(op: norm.RmsNorm, node: Node) -> ModuleCall:
    optional: Options = {"eps": (op.eps, None), "elementwise_affine": (op.affine, True)}
    return ModuleCall(call("nn.RMSNorm", _normalized_shape(op.normalized(node.inputs[0].type)), optional))


def _normalized_shape(sizes: tuple[int, ...]) -> Mapping[str, Constant]:
    return {"normalized_shape": sizes[0] if len(sizes) == 1 else sizes}


@RULES.rule(norm.GroupNorm)
def _group_norm(op: norm.GroupNorm, node: Node) -> ModuleCall:
    required = {"num_groups": op.groups, "num_channels": node.inputs[0].type.channels}
    return ModuleCall(call("nn.GroupNorm", required, {"eps": (op.eps, 1e-5), "affine": (op.affine, True)}))


@RULES.rule(norm.InstanceNorm)
def _instance_norm(op: norm.InstanceNorm, node: Node) -> ModuleCall:
    required = {"num_features": node.inputs[0].type.channels}
    optional: Options = {"eps": (op.eps, 1e-5), "affine": (op.affine, False)}
    return ModuleCall(call(f"nn.InstanceNorm{axes_of(node)}d", required, optional))


@RULES.rule(norm.LocalResponseNorm)
def _local_response_norm(op: norm.LocalResponseNorm, node: Node) -> ModuleCall:
    if axes_of(node) == 3:  # PyTorch views its input, which fails for a permuted one and for channels last
        numbers = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "k": op.k}
        template = "F.local_response_norm({x}.contiguous(), {size}, {alpha}, {beta}, {k})"
        return ModuleCall(function=function("F.local_response_norm", template, numbers))
    optional = {"alpha": (op.alpha, 1e-4), "beta": (op.beta, 0.75), "k": (op.k, 1.0)}
    return both(call("nn.LocalResponseNorm", {"size": op.size}, optional), "F.local_response_norm")


@RULES.rule(norm.L2Normalize)
def _l2_normalize(op: norm.L2Normalize, node: Node) -> ModuleCall:
    return ModuleCall(function=call("F.normalize", {}, {"dim": (op.axis, 1), "eps": (op.eps, 1e-12)}))


@RULES.rule(norm.Affine)
def _affine(op: norm.Affine, node: Node) -> ModuleCall:
    return helper_module("Affine", {"channels": node.inputs[0].type.channels}, {"bias": (op.bias, True)})


_STATISTICS = ("running_mean", "running_var")
_SCALE = ("weight", "bias")


@SHARED_RULES.rule(norm.BatchNorm)
def _shared_batch_norm(op: norm.BatchNorm, node: Node) -> ModuleCall:
    optional: Options = {"momentum": (op.momentum, 0.1), "eps": (op.eps, 1e-5)}
    return ModuleCall(function=of_weights("F.batch_norm", (*_STATISTICS, *_SCALE, "training"), optional))


@SHARED_RULES.rule(norm.FrozenBatchNorm)
def _shared_frozen_batch_norm(op: norm.FrozenBatchNorm, node: Node) -> ModuleCall:
    return ModuleCall(function=of_weights("F.batch_norm", (*_STATISTICS, *_SCALE), {"eps": (op.eps, 1e-5)}))


@SHARED_RULES.rule(norm.LayerNorm)
def _shared_layer_norm(op: norm.LayerNorm, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    sizes, optional = {"sizes": op.normalized(tensor)}, {"eps": (op.eps, 1e-5)}
    if op.axes != "channels" or tensor.rank == 2:
        return ModuleCall(function=of_weights("F.layer_norm", _SCALE, optional, x="{x}, {sizes}", more=sizes))
    x = "torch.movedim({x}, 1, -1), {sizes}"
    last = of_weights("F.layer_norm", _SCALE, optional, x=x, more=sizes)
    return ModuleCall(function=replace(last, template=f"{last.template}.movedim(-1, 1)"))


@SHARED_RULES.rule(norm.RmsNorm)
def _shared_rms_norm(op: norm.RmsNorm, node: Node) -> ModuleCall:
    sizes, eps = {"sizes": op.normalized(node.inputs[0].type)}, {"eps": (op.eps, None)}
    return ModuleCall(function=of_weights("F.rms_norm", ("weight",), eps, x="{x}, {sizes}", more=sizes))


@SHARED_RULES.rule(norm.GroupNorm)
def _shared_group_norm(op: norm.GroupNorm, node: Node) -> ModuleCall:
    groups, eps = {"groups": op.groups}, {"eps": (op.eps, 1e-5)}
    return ModuleCall(function=of_weights("F.group_norm", _SCALE, eps, x="{x}, {groups}", more=groups))


@SHARED_RULES.rule(norm.InstanceNorm)
def _shared_instance_norm(op: norm.InstanceNorm, node: Node) -> ModuleCall:
    return ModuleCall(function=of_weights("F.instance_norm", _SCALE, {"eps": (op.eps, 1e-5)}, by_name=True))
