"""Dropout in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of, helper_module
from archspec.ops import dropout


@RULES.rule(dropout.SpatialDropout)
def _spatial_dropout(op: dropout.SpatialDropout, node: Node) -> ModuleCall:
    d = axes_of(node)
    as_function = function(f"F.dropout{d}d", f"F.dropout{d}d({{x}}, {{p}}, self.training)", {"p": float(op.p)})
    return ModuleCall(call(f"nn.Dropout{d}d", {"p": float(op.p)}, {}), as_function)


@RULES.rule(dropout.StochasticDepth)
def _stochastic_depth(op: dropout.StochasticDepth, node: Node) -> ModuleCall:
    return helper_module("StochasticDepth", {"p": float(op.p)}, {"mode": (op.mode, "row")})


@RULES.rule(dropout.Dropout)
def _dropout(op: dropout.Dropout, node: Node) -> ModuleCall:
    as_function = function("F.dropout", "F.dropout({x}, {p}, self.training)", {"p": float(op.p)})
    return ModuleCall(call("nn.Dropout", {"p": float(op.p)}, {}), as_function)
