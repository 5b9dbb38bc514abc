"""Max unpooling in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of
from archspec.ops import unpool


@RULES.rule(unpool.MaxUnpool)
def _max_unpool(op: unpool.MaxUnpool, node: Node) -> ModuleCall:
    d = axes_of(node)
    window = op.sliding(node.inputs[0].type)
    pads = tuple(before for before, _ in window.pads)
    # Not nn.MaxUnpool, which PyTorch 2.13 cannot script. The function needs one number per axis.
    if len(node.inputs) == 2:
        optional = {"stride": (window.stride, window.kernel), "padding": (pads, (0,) * d)}
        return ModuleCall(function=call(f"F.max_unpool{d}d", {"kernel_size": window.kernel}, optional))
    numbers: dict[str, Constant] = {"kernel": window.kernel}
    numbers |= {"stride": window.stride} if window.stride != window.kernel else {}
    numbers |= {"padding": pads} if any(pads) else {}
    keywords = "".join(f", {name}={{{name}}}" for name in numbers if name != "kernel")
    template = f"F.max_unpool{d}d({{x0}}, {{x1}}, {{kernel}}{keywords}, output_size={{x2}}.shape[2:])"
    return ModuleCall(function=function("max_unpool", template, numbers))
