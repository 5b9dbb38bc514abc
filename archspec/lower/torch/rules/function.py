"""Functions of each element in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops.function import FUNCTIONS, ElementFunction


@RULES.rule(*FUNCTIONS)
def _function(op: ElementFunction, node: Node) -> ModuleCall:
    """PyTorch's function of the same name."""
    return ModuleCall(function=Call(f"torch.{op.kind}"))
