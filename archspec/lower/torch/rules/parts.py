"""Parts of a value, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.calls import Constant, Listed, function
from archspec.lower.torch.leaf import Leaf
from archspec.lower.torch.rules.common import family
from archspec.ops import parts

RULES = family("parts")


@RULES.rule(parts.Split)
def _split(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, parts.Split)
    cuts = op.cuts(node.inputs[0].type)
    if len(cuts) == 1:
        return Leaf(function=function("identity", "{x}"))
    if len(set(cuts)) == 1:
        return Leaf(function=function("chunk", "{x}.chunk({parts}, dim={dim})", {"parts": len(cuts), "dim": op.axis}))
    return Leaf(function=function("split", "{x}.split({sizes}, dim={dim})", {"sizes": Listed(cuts), "dim": op.axis}))


@RULES.rule(parts.Slice)
def _slice(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, parts.Slice)
    bounds: dict[str, Constant] = {
        name: value
        for name, value in {"start": op.start, "end": op.end, "step": op.step}.items()
        if value is not None and (name, value) not in (("start", 0), ("step", 1))
    }
    start, end, step = (f"{{{name}}}" if name in bounds else "" for name in ("start", "end", "step"))
    before = ":, " * op.place(node.inputs[0].type)
    taken = f"{start}:{end}" + (f":{step}" if step else "")
    return Leaf(function=function("slice", f"{{x}}[{before}{taken}]", bounds))
