"""Attention and matrix products in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, helper_module
from archspec.ops import attention


@RULES.rule(attention.MatMul)
def _matmul(op: attention.MatMul, node: Node) -> ModuleCall:
    return ModuleCall(function=function("torch.matmul", "torch.matmul({all})"))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(op: attention.MultiHeadAttention, node: Node) -> ModuleCall:
    required = {"embed_dim": node.inputs[0].type.sizes[1], "num_heads": op.heads}
    optional = {"dropout": (op.dropout, 0.0), "bias": (op.bias, True)}
    return helper_module("Attention", required, optional)


@SHARED_RULES.rule(attention.MultiHeadAttention)
def _shared_attention(op: attention.MultiHeadAttention, node: Node) -> ModuleCall:
    weights = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias", "training")
    values = ("{x0}",) * 3 if len(node.inputs) == 1 else ("{all}",)
    read = ", ".join((*values, *(f"{{weight}}.{name}" for name in weights), "{heads}"))
    dropout: dict[str, Constant] = {"dropout": op.dropout} if op.dropout else {}
    template = f"attend({read}{', dropout={dropout}' if dropout else ''})"
    return ModuleCall(function=function("attend", template, {"heads": op.heads, **dropout}), helper=("attend", 0))
