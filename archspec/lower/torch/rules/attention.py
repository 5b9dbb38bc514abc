"""Attention and matrix products in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import family, own
from archspec.ops import attention

RULES = family("attention")


@RULES.rule(attention.MatMul)
def _matmul(node: Node) -> ModuleCall:
    return ModuleCall(function=function("torch.matmul", "torch.matmul({all})"))


@RULES.rule(attention.MultiHeadAttention)
def _multi_head_attention(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, attention.MultiHeadAttention)
    required = {"embed_dim": node.inputs[0].type.sizes[1], "num_heads": op.heads}
    optional = {"dropout": (op.dropout, 0.0), "bias": (op.bias, True)}
    return own("Attention", required, optional)
