"""Resizing, cropping and padding in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Call, Constant, ListLiteral, Options, call, function, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of, flat
from archspec.ops import spatial
from archspec.ops.base import per_axis


@RULES.rule(spatial.UpsampleLike)
def _upsample_like(op: spatial.UpsampleLike, node: Node) -> ModuleCall:
    d = axes_of(node)
    template = "F.interpolate({x0}, {x1}.shape[2:]"
    if not op.sized(node.input_types).interpolates:
        return ModuleCall(function=function("upsample", template + ")"))
    template += f', mode="{_mode(op, d)}"'
    if op.antialias:
        return _of_several_columns(f"{template}, antialias=True)")
    return ModuleCall(function=function("upsample", template + (", align_corners=True)" if op.align_corners else ")")))


@RULES.rule(spatial.CropLike)
def _crop_like(op: spatial.CropLike, node: Node) -> ModuleCall:
    if op.offset is None:
        crop = function("crop", "center_crop({x0}, {x1}.shape[2:])")
        return ModuleCall(function=crop, helper=("center_crop", 0))
    numbers: dict[str, Constant] = {}
    ranges: list[str] = []
    narrow = "{x0}"
    for axis, start in enumerate(op.starts(node.input_types), start=2):
        size = f"{{x1}}.shape[{axis}]"
        if start:
            numbers[f"start{axis}"] = start
        ranges.append(f"{{start{axis}}} : {{start{axis}}} + {size}" if start else f": {size}")
        narrow += f".narrow({axis}, {f'{{start{axis}}}' if start else 0}, {size})"
    crop = function("crop", f"{{x0}}[:, :, {', '.join(ranges)}]", numbers)
    return ModuleCall(function=crop, checked=ModuleCall(function=function("crop", narrow, numbers)))


@RULES.rule(spatial.Pad)
def _pad(op: spatial.Pad, node: Node) -> ModuleCall:
    pads = flat(op.pads(node.inputs[0].type))
    optional: Options = {"mode": (op.mode, "constant"), "value": (op.value, 0.0)}
    return ModuleCall(function=call("F.pad", {"pad": pads}, optional))


@RULES.rule(spatial.PadChannels)
def _pad_channels(op: spatial.PadChannels, node: Node) -> ModuleCall:
    tensor = node.inputs[0].type
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    zeros = ", ".join(
        ["{x}.shape[0]", "{channels} - {x}.shape[1]", *(f"{{x}}.shape[{i}]" for i in range(2, tensor.rank))]
    )
    filled = function("pad_channels", f"torch.cat([{{x}}, {{x}}.new_zeros({zeros})], dim=1)", {"channels": op.channels})
    return ModuleCall(function=call("F.pad", {"pad": flat(pads)}, {}), checked=ModuleCall(function=filled))


@RULES.rule(spatial.CenterCrop)
def _center_crop(op: spatial.CenterCrop, node: Node) -> ModuleCall:
    size = ListLiteral(per_axis(op.kind, "size", op.size, axes_of(node)))
    return ModuleCall(function=function("crop", "center_crop({x}, {size})", {"size": size}), helper=("center_crop", 0))


@RULES.rule(spatial.AlignCrop)
def _align_crop(op: spatial.AlignCrop, node: Node) -> ModuleCall:
    # The step reads all paths of the join, this one first: see `aligned_paths`.
    return ModuleCall(function=function("crop", "crop_to_smallest([{all}])[0]"), helper=("crop_to_smallest", 0))


@RULES.rule(spatial.Upsample)
def _upsample(op: spatial.Upsample, node: Node) -> ModuleCall:
    scale = op.factors
    name, value = ("size", same(node.outputs[0].type.spatial)) if scale is None else ("scale_factor", scale)
    function_value = value
    if scale is not None:  # Unlike the module, the function does not convert factors to float for TorchScript.
        function_value = ListLiteral(map(float, scale)) if isinstance(scale, tuple) else float(scale)
    options: dict[str, tuple[Constant, Constant]] = {"mode": (_mode(op, axes_of(node)), "nearest")}
    if op.interpolates:
        options["align_corners"] = (op.align_corners or None, None)
    if op.fractional:
        options["recompute_scale_factor"] = (True, None)

    def resize(callee: str, value: Constant, **more: tuple[Constant, Constant]) -> Call:
        return call(callee, {}, {name: (value, None), **options, **more})

    if op.antialias:  # which the module does not have
        more = ", recompute_scale_factor=True" if op.fractional else ""
        template = f'F.interpolate({{x}}, scale_factor={{scale}}, mode="{_mode(op, 2)}"{more}, antialias=True)'
        checked = None if scale is None else _of_several_columns(template, {"scale": function_value})
        return ModuleCall(function=resize("F.interpolate", function_value, antialias=(True, False)), checked=checked)
    return ModuleCall(replace(resize("nn.Upsample", value), stateless=True), resize("F.interpolate", function_value))


def _of_several_columns(template: str, numbers: Mapping[str, Constant] | None = None) -> ModuleCall:
    """A call whose result is checked: PyTorch computes results of one column wrong."""
    checked = function("upsample", f"several_columns({template})", numbers or {})
    return ModuleCall(function=checked, helper=("several_columns", 0))


def _mode(op: spatial.Upsample | spatial.UpsampleLike, axes: int) -> str:
    """PyTorch's name of the mode."""
    if op.mode in ("nearest", "bicubic"):
        return op.mode
    return {1: "linear", 2: "bilinear", 3: "trilinear"}[axes]
