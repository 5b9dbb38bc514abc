"""Slicing and splitting in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, ListLiteral, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import slicing


@RULES.rule(slicing.Split)
def _split(op: slicing.Split, node: Node) -> ModuleCall:
    cuts = op.cuts(node.inputs[0].type)
    if len(cuts) == 1:
        return ModuleCall(function=function("identity", "{x}"))
    if len(set(cuts)) == 1:
        return ModuleCall(
            function=function("chunk", "{x}.chunk({parts}, dim={dim})", {"parts": len(cuts), "dim": op.axis})
        )
    return ModuleCall(
        function=function("split", "{x}.split({sizes}, dim={dim})", {"sizes": ListLiteral(cuts), "dim": op.axis})
    )


@RULES.rule(slicing.Slice)
def _slice(op: slicing.Slice, node: Node) -> ModuleCall:
    bounds: dict[str, Constant] = {
        name: value
        for name, value in {"start": op.start, "end": op.end, "step": op.step}.items()
        if value is not None and (name, value) not in (("start", 0), ("step", 1))
    }
    start, end, step = (f"{{{name}}}" if name in bounds else "" for name in ("start", "end", "step"))
    before = ":, " * op.normalized_axis(node.inputs[0].type)
    bounds_text = f"{start}:{end}" + (f":{step}" if step else "")
    return ModuleCall(function=function("slice", f"{{x}}[{before}{bounds_text}]", bounds))
