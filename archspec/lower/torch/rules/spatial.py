"""Resizing, cropping and padding in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Call, Constant, ListLiteral, Options, call, function, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of, flat
from archspec.ops import spatial


@RULES.rule(spatial.UpsampleLike)
def _upsample_like(op: spatial.UpsampleLike, node: Node) -> ModuleCall:
    d = axes_of(node)
    template = "F.interpolate({x0}, {x1}.shape[2:]"
    if not op.sized(node.input_types).interpolates:
        return ModuleCall(function=function("upsample", template + ")"))
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[d]
    corners = ", align_corners=True" if op.align_corners else ""
    return ModuleCall(function=function("upsample", f'{template}, mode="{mode}"{corners})'))


@RULES.rule(spatial.CropLike)
def _crop_like(op: spatial.CropLike, node: Node) -> ModuleCall:
    numbers: dict[str, Constant] = {}
    ranges: list[str] = []
    for axis, start in enumerate(op.starts(node.input_types), start=2):
        size = f"{{x1}}.shape[{axis}]"
        if start:
            numbers[f"start{axis}"] = start
        ranges.append(f"{{start{axis}}} : {{start{axis}}} + {size}" if start else f": {size}")
    return ModuleCall(function=function("crop", f"{{x0}}[:, :, {', '.join(ranges)}]", numbers))


@RULES.rule(spatial.Pad)
def _pad(op: spatial.Pad, node: Node) -> ModuleCall:
    pads = flat(op.pads(node.inputs[0].type))
    optional: Options = {"mode": (op.mode, "constant"), "value": (op.value, 0.0)}
    return ModuleCall(function=call("F.pad", {"pad": pads}, optional))


@RULES.rule(spatial.PadChannels)
def _pad_channels(op: spatial.PadChannels, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return ModuleCall(function=call("F.pad", {"pad": flat(pads)}, {}))


@RULES.rule(spatial.CenterCrop)
def _center_crop(op: spatial.CenterCrop, node: Node) -> ModuleCall:
    crop = [(-before, -after) for before, after in op.pads(node.inputs[0].type)]
    return ModuleCall(function=function("crop", "F.pad({x}, {crop})", {"crop": flat(crop)}))


@RULES.rule(spatial.Upsample)
def _upsample(op: spatial.Upsample, node: Node) -> ModuleCall:
    d = axes_of(node)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[d] if op.interpolates else "nearest"
    name, value = ("size", same(node.outputs[0].type.spatial)) if op.scale is None else ("scale_factor", op.scale)
    function_value = value
    if op.scale is not None:  # Unlike the module, the function does not convert factors to float for TorchScript.
        function_value = ListLiteral(map(float, op.scale)) if isinstance(op.scale, tuple) else float(op.scale)
    corners = {"align_corners": (op.align_corners or None, None)} if op.interpolates else {}

    def resize(callee: str, value: Constant) -> Call:
        return call(callee, {}, {name: (value, None), "mode": (mode, "nearest"), **corners})

    return ModuleCall(replace(resize("nn.Upsample", value), stateless=True), resize("F.interpolate", function_value))
