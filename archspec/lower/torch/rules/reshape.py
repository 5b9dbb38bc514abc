"""Ops that move elements, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Call, Constant, ListLiteral, call, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES
from archspec.ops import reshape


@RULES.rule(reshape.Identity)
def _identity(op: reshape.Identity, node: Node) -> ModuleCall:
    return ModuleCall(Call("nn.Identity"), function("identity", "{x}"))


@RULES.rule(reshape.Flatten)
def _flatten(op: reshape.Flatten, node: Node) -> ModuleCall:
    if not node.inputs[0].type.sizes:
        return ModuleCall(function=function("reshape", "{x}.reshape(-1, 1)"))
    module = call("nn.Flatten", {}, {"start_dim": (op.start, 1), "end_dim": (op.end, -1)})
    arguments: dict[str, Constant] = {"start_dim": op.start, "end_dim": op.end}
    template = "torch.flatten({x}, {start_dim})" if op.end == -1 else "torch.flatten({x}, {start_dim}, {end_dim})"
    return ModuleCall(module, function("torch.flatten", template, arguments))


@RULES.rule(reshape.Reshape)
def _reshape(op: reshape.Reshape, node: Node) -> ModuleCall:
    arguments: dict[str, Constant] = {f"size{i}": size for i, size in enumerate(op.sizes)}
    template = "{x}.reshape({x}.shape[0], " + ", ".join(f"{{{name}}}" for name in arguments) + ")"
    return ModuleCall(function=function("reshape", template, arguments))


@RULES.rule(reshape.Permute)
def _permute(op: reshape.Permute, node: Node) -> ModuleCall:
    order = ", ".join(map(str, (0, *op.order)))
    as_function = function("permute", f"{{x}}.permute({order})")
    return ModuleCall(Call("Permute", template=f"Permute({order})"), as_function, helper=("Permute", 0))


@RULES.rule(reshape.Select)
def _select(op: reshape.Select, node: Node) -> ModuleCall:
    before = ":, " * op.normalized_axis(node.inputs[0].type)
    return ModuleCall(function=function("select", f"{{x}}[{before}{{indices}}]", {"indices": ListLiteral(op.indices)}))


@RULES.rule(reshape.Squeeze)
def _squeeze(op: reshape.Squeeze, node: Node) -> ModuleCall:
    removed = op.removed(node.inputs[0].type)
    axes: dict[str, Constant] = {"axis": removed[0] if len(removed) == 1 else ListLiteral(removed)}
    edges = zip((-1, *removed), (*removed, None), strict=True)  # of the runs of axes between those that are removed
    kept = [_sizes(start + 1, stop) for start, stop in edges if start + 1 != stop]
    # `squeeze` leaves axes of other sizes as they are, where this is an error.
    checked = function("squeeze", f"{{x}}.reshape({' + '.join(kept)})")
    return ModuleCall(function=function("squeeze", "{x}.squeeze({axis})", axes), checked=ModuleCall(function=checked))


def _sizes(start: int, stop: int | None) -> str:
    return f"{{x}}.shape[{start or ''}:{'' if stop is None else stop}]"


@RULES.rule(reshape.Unsqueeze)
def _unsqueeze(op: reshape.Unsqueeze, node: Node) -> ModuleCall:
    axis = {"axis": op.added(node.inputs[0].type)}
    return ModuleCall(function=function("unsqueeze", "{x}.unsqueeze({axis})", axis))


@RULES.rule(reshape.Expand)
def _expand(op: reshape.Expand, node: Node) -> ModuleCall:
    sizes = ", ".join(map(str, (-1, *op.sizes)))
    return ModuleCall(function=function("expand", f"{{x}}.expand({sizes})"))


@RULES.rule(reshape.Tile)
def _tile(op: reshape.Tile, node: Node) -> ModuleCall:
    times = ", ".join(map(str, (1, *op.times)))
    return ModuleCall(function=function("tile", f"{{x}}.repeat({times})"))
