"""Linear layers in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, helper_module, of_weights
from archspec.ops import linear


@RULES.rule(linear.Linear)
def _linear(op: linear.Linear, node: Node) -> ModuleCall:
    required = {"in_features": node.inputs[0].type.sizes[-1], "out_features": op.features}
    return ModuleCall(call("nn.Linear", required, {"bias": (op.bias, True)}))


@SHARED_RULES.rule(linear.Linear)
def _shared_linear(op: linear.Linear, node: Node) -> ModuleCall:
    return ModuleCall(function=of_weights("F.linear", ("weight", "bias") if op.bias else ("weight",)))


@RULES.rule(linear.CapsuleVotes)
def _capsule_votes(op: linear.CapsuleVotes, node: Node) -> ModuleCall:
    count, features = node.inputs[0].type.sizes
    required = {"in_capsules": count, "in_features": features, "capsules": op.capsules, "features": op.features}
    return helper_module("CapsuleVotes", required)


@RULES.rule(linear.RadialBasis)
def _radial_basis(op: linear.RadialBasis, node: Node) -> ModuleCall:
    features = node.inputs[0].type.sizes[0]
    return helper_module("RadialBasis", {"features": features, "units": op.units})
