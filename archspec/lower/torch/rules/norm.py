"""Linear layers and normalizations in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Options, call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import axes_of, both, family, own
from archspec.ops import linear, norm

RULES = family("affine")


@RULES.rule(linear.Linear)
def _linear(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, linear.Linear)
    required = {"in_features": node.inputs[0].type.sizes[-1], "out_features": op.features}
    return ModuleCall(call("nn.Linear", required, {"bias": (op.bias, True)}))


@RULES.rule(linear.CapsuleVotes)
def _capsule_votes(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, linear.CapsuleVotes)
    count, features = node.inputs[0].type.sizes
    required = {"in_capsules": count, "in_features": features, "capsules": op.capsules, "features": op.features}
    return own("CapsuleVotes", required)


@RULES.rule(linear.RadialBasis)
def _radial_basis(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, linear.RadialBasis)
    features = node.inputs[0].type.sizes[0]
    return own("RadialBasis", {"features": features, "units": op.units})


@RULES.rule(norm.BatchNorm)
def _batch_norm(node: Node) -> ModuleCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, norm.BatchNorm)
    axes = max(1, len(tensor.spatial))
    optional = {"eps": (op.eps, 1e-5), "momentum": (op.momentum, 0.1), "affine": (op.affine, True)}
    return ModuleCall(call(f"nn.BatchNorm{axes}d", {"num_features": tensor.channels}, optional))


@RULES.rule(norm.FrozenBatchNorm)
def _frozen_batch_norm(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.FrozenBatchNorm)
    return own("FrozenBatchNorm", {"num_features": node.inputs[0].type.channels}, {"eps": (op.eps, 1e-5)})


@RULES.rule(norm.LayerNorm)
def _layer_norm(node: Node) -> ModuleCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, norm.LayerNorm)
    optional: Options = {"eps": (op.eps, 1e-5), "elementwise_affine": (op.affine, True)}
    if op.axes == "channels" and tensor.rank > 2:
        return own("ChannelNorm", {"channels": tensor.channels}, optional)
    sizes = op.normalized(tensor)
    return ModuleCall(call("nn.LayerNorm", {"normalized_shape": sizes[0] if len(sizes) == 1 else sizes}, optional))


@RULES.rule(norm.GroupNorm)
def _group_norm(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.GroupNorm)
    required = {"num_groups": op.groups, "num_channels": node.inputs[0].type.channels}
    return ModuleCall(call("nn.GroupNorm", required, {"eps": (op.eps, 1e-5), "affine": (op.affine, True)}))


@RULES.rule(norm.InstanceNorm)
def _instance_norm(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.InstanceNorm)
    required = {"num_features": node.inputs[0].type.channels}
    optional: Options = {"eps": (op.eps, 1e-5), "affine": (op.affine, False)}
    return ModuleCall(call(f"nn.InstanceNorm{axes_of(node)}d", required, optional))


@RULES.rule(norm.LocalResponseNorm)
def _local_response_norm(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.LocalResponseNorm)
    optional = {"alpha": (op.alpha, 1e-4), "beta": (op.beta, 0.75), "k": (op.k, 1.0)}
    return both(call("nn.LocalResponseNorm", {"size": op.size}, optional), "F.local_response_norm")


@RULES.rule(norm.L2Normalize)
def _l2_normalize(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.L2Normalize)
    return ModuleCall(function=call("F.normalize", {}, {"dim": (op.axis, 1), "eps": (op.eps, 1e-12)}))


@RULES.rule(norm.Affine)
def _affine(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, norm.Affine)
    return own("Affine", {"channels": node.inputs[0].type.channels}, {"bias": (op.bias, True)})
