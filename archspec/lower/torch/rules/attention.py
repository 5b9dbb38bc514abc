"""Attention and matrix products in PyTorch."""

from __future__ import annotations

from dataclasses import replace

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
    query, key, value, _ = op.roles(node.input_types)
    features, *others = (tensor.sizes[-1] for tensor in (query, key, value))
    required: dict[str, Constant] = {"embed_dim": features, "num_heads": op.heads}
    optional: dict[str, tuple[Constant, Constant]] = {"dropout": (op.dropout, 0.0), "bias": (op.bias, True)}
    causal = {"causal": (op.causal, False)}
    if op.relative_bias is not None:
        return helper_module("WindowAttention", {**required, "window": op.relative_bias}, {**optional, **causal})
    if others != [features, features]:
        optional |= {"kdim": (others[0], None), "vdim": (others[1], None)}
    call = helper_module("Attention", required, {**optional, **causal})
    return replace(call, arguments=_arguments(op, len(node.inputs)))


def _arguments(op: attention.MultiHeadAttention, inputs: int) -> str | None:
    """The arguments of a call with a mask but without a key or a value before it; None if inputs are in order."""
    if not op.mask or inputs == 4:
        return None
    return ", ".join([*(f"{{x{i}}}" for i in range(inputs - 1)), f"mask={{x{inputs - 1}}}"])


@SHARED_RULES.rule(attention.MultiHeadAttention)
def _shared_attention(op: attention.MultiHeadAttention, node: Node) -> ModuleCall:
    arguments: dict[str, Constant] = {"heads": op.heads, "dropout": op.dropout, "causal": op.causal}
    inputs = _arguments(op, len(node.inputs)) or "{all}"
    return ModuleCall(
        function=function("attend", f"{{weight}}.attend({{heads}}, {{dropout}}, {{causal}}, {inputs})", arguments)
    )
