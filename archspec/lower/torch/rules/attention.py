"""Attention and matrix products in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, helper_module
from archspec.ops import attention


@RULES.rule(attention.MatMul)
def _matmul(op: attention.MatMul, node: Node) -> ModuleCall:
    return ModuleCall(function=function("torch.matmul", "torch.matmul({all})"))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(op: attention.MultiHeadAttention, node: Node) -> ModuleCall:
    required = {"embed_dim": node.inputs[0].type.sizes[1], "num_heads": op.heads}
    optional = {"dropout": (op.dropout, 0.0), "bias": (op.bias, True)}
    return helper_module("Attention", required, optional)
