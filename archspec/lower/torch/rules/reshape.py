"""Ops that move elements, in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Call, Constant, Listed, Options, call, function, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import axes_of, family, flat
from archspec.ops import reshape, spatial

RULES = family("layout")


@RULES.rule(reshape.Identity)
def _identity(node: Node) -> ModuleCall:
    return ModuleCall(Call("nn.Identity"), function("identity", "{x}"))


@RULES.rule(reshape.Flatten)
def _flatten(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, reshape.Flatten)
    if not node.inputs[0].type.sizes:
        return ModuleCall(function=function("reshape", "{x}.reshape(-1, 1)"))
    module = call("nn.Flatten", {}, {"start_dim": (op.start, 1), "end_dim": (op.end, -1)})
    arguments: dict[str, Constant] = {"start_dim": op.start, "end_dim": op.end}
    template = "torch.flatten({x}, {start_dim})" if op.end == -1 else "torch.flatten({x}, {start_dim}, {end_dim})"
    return ModuleCall(module, function("torch.flatten", template, arguments))


@RULES.rule(reshape.Reshape)
def _reshape(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, reshape.Reshape)
    arguments: dict[str, Constant] = {f"size{i}": size for i, size in enumerate(op.sizes)}
    template = "{x}.reshape({x}.shape[0], " + ", ".join(f"{{{name}}}" for name in arguments) + ")"
    return ModuleCall(function=function("reshape", template, arguments))


@RULES.rule(reshape.Permute)
def _permute(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, reshape.Permute)
    order = ", ".join(map(str, (0, *op.order)))
    written = function("permute", f"{{x}}.permute({order})")
    return ModuleCall(Call("Permute", template=f"Permute({order})"), written, helper=("Permute", 0))


@RULES.rule(reshape.Select)
def _select(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, reshape.Select)
    before = ":, " * op.place(node.inputs[0].type)
    return ModuleCall(function=function("select", f"{{x}}[{before}{{indices}}]", {"indices": Listed(op.indices)}))


@RULES.rule(spatial.Pad)
def _pad(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, spatial.Pad)
    pads = flat(op.pads(node.inputs[0].type))
    optional: Options = {"mode": (op.mode, "constant"), "value": (op.value, 0.0)}
    return ModuleCall(function=call("F.pad", {"pad": pads}, optional))


@RULES.rule(spatial.PadChannels)
def _pad_channels(node: Node) -> ModuleCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, spatial.PadChannels)
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return ModuleCall(function=call("F.pad", {"pad": flat(pads)}, {}))


@RULES.rule(spatial.CenterCrop)
def _center_crop(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, spatial.CenterCrop)
    cut = [(-before, -after) for before, after in op.pads(node.inputs[0].type)]
    return ModuleCall(function=function("crop", "F.pad({x}, {crop})", {"crop": flat(cut)}))


@RULES.rule(spatial.Upsample)
def _upsample(node: Node) -> ModuleCall:
    op, d = node.op, axes_of(node)
    assert isinstance(op, spatial.Upsample)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[d] if op.interpolates else "nearest"
    name, value = ("size", same(node.outputs[0].type.spatial)) if op.scale is None else ("scale_factor", op.scale)
    plain = value
    if op.scale is not None:  # The module makes whole factors floats, as TorchScript wants them; the function does not.
        plain = Listed(map(float, op.scale)) if isinstance(op.scale, tuple) else float(op.scale)
    corners = {"align_corners": (op.align_corners or None, None)} if op.interpolates else {}

    def written(callee: str, value: Constant) -> Call:
        return call(callee, {}, {name: (value, None), "mode": (mode, "nearest"), **corners})

    return ModuleCall(replace(written("nn.Upsample", value), stateless=True), written("F.interpolate", plain))
