"""Values brought to the size of another, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import axes_of, family
from archspec.ops import spatial

RULES = family("like")


@RULES.rule(spatial.UpsampleLike)
def _upsample_like(node: Node) -> ModuleCall:
    op, d = node.op, axes_of(node)
    assert isinstance(op, spatial.UpsampleLike)
    template = "F.interpolate({x0}, {x1}.shape[2:]"
    if not op.sized(node.input_types).interpolates:
        return ModuleCall(function=function("upsample", template + ")"))
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[d]
    corners = ", align_corners=True" if op.align_corners else ""
    return ModuleCall(function=function("upsample", f'{template}, mode="{mode}"{corners})'))


@RULES.rule(spatial.CropLike)
def _crop_like(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, spatial.CropLike)
    numbers: dict[str, Constant] = {}
    stretches: list[str] = []
    for axis, start in enumerate(op.starts(node.input_types), start=2):
        size = f"{{x1}}.shape[{axis}]"
        if start:
            numbers[f"start{axis}"] = start
        stretches.append(f"{{start{axis}}} : {{start{axis}}} + {size}" if start else f": {size}")
    return ModuleCall(function=function("crop", f"{{x0}}[:, :, {', '.join(stretches)}]", numbers))
