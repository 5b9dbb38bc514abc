"""Convolutions in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Node
from archspec.ir.types import TensorType
from archspec.lower.text.code_model import Constant, ListLiteral, Options, call, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import (
    RULES,
    SHARED_RULES,
    axes_of,
    even,
    flat,
    helper_module,
    of_weights,
    same_pads,
)
from archspec.ops import conv
from archspec.ops.geometry import Pads
from archspec.ops.sliding import Sliding


@RULES.rule(conv.Conv)
def _conv(op: conv.Conv, node: Node) -> ModuleCall:
    tensor, d = node.inputs[0].type, axes_of(node)
    window = op.sliding(tensor)
    required = _required(op, window, tensor)
    stride, dilation = (same(window.stride), 1), (same(window.dilation), 1)
    groups, bias = (op.groups, 1), (op.bias, True)
    optional: Options = {"stride": stride, "dilation": dilation, "groups": groups, "bias": bias}
    if op.padding == "same":
        pads = _same_pads(op, window)
        if pads is None and op.padding_mode == "zeros":
            return helper_module("SameConv", required, optional, axes=d)
        if pads is None:
            return helper_module("EdgeConv", {**required, "mode": op.padding_mode}, optional, axes=d)
        window = replace(window, pads=pads)
    if not window.symmetric and op.padding_mode != "zeros":
        optional = {"pads": (flat(window.pads), None), **optional}
        return helper_module("EdgeConv", {**required, "mode": op.padding_mode}, optional, axes=d)
    if not window.symmetric:
        return helper_module("PaddedConv", {**required, "pads": flat(window.pads)}, optional, axes=d)
    padding = (even(window), 0)
    optional = {
        "stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "bias": bias,
        "padding_mode": (op.padding_mode, "zeros"),
    }  # fmt: skip
    return ModuleCall(call(f"nn.Conv{d}d", required, optional))


@SHARED_RULES.rule(conv.Conv)
def _shared_conv(op: conv.Conv, node: Node) -> ModuleCall:
    d, window = axes_of(node), op.sliding(node.inputs[0].type)
    pads = _same_pads(op, window) if op.padding == "same" else window.pads
    x, more, padding = "{x}", dict[str, Constant](), same([before for before, _ in pads or ((0, 0),)])
    mode = ", mode={mode}" if op.padding_mode != "zeros" else ""
    if pads is None:
        x = f"F.pad({{x}}, same_pads({{x}}, {{kernel}}, {{strides}}, {{rows}}){mode})"
        sizes = {"kernel": window.kernel, "strides": window.stride, "rows": window.dilation}
        more = {name: ListLiteral(values) for name, values in sizes.items()}
    elif any(before != after or (mode and before) for before, after in pads):
        x, more, padding = f"F.pad({{x}}, {{pads}}{mode})", {"pads": flat(pads)}, 0
    optional: Options = {
        "stride": (same(window.stride), 1), "padding": (padding, 0), "dilation": (same(window.dilation), 1),
        "groups": (op.groups, 1),
    }  # fmt: skip
    more |= {"mode": op.padding_mode} if mode else {}
    call = of_weights(f"F.conv{d}d", ("weight", "bias"), optional, x=x, more=more)
    return ModuleCall(function=call, helper=("same_pads", 0) if pads is None else None)


def _same_pads(op: conv.Conv, window: Sliding) -> tuple[Pads, ...] | None:
    """As `same_pads`. An axis may lack the rows to repeat for more padding than it needs."""
    return same_pads(window) if op.padding_mode == "zeros" or max(window.stride) == 1 else None


def _required(op: conv.Conv | conv.ConvTranspose, window: Sliding, tensor: TensorType) -> dict[str, Constant]:
    return {"in_channels": tensor.channels, "out_channels": op.channels, "kernel_size": same(window.kernel)}


@RULES.rule(conv.ConvTranspose)
def _conv_transpose(op: conv.ConvTranspose, node: Node) -> ModuleCall:
    tensor, d = node.inputs[0].type, axes_of(node)
    window = op.sliding(tensor)
    required = _required(op, window, tensor)
    stride, output_padding = (same(window.stride), 1), (same(op.added(tensor)), 0)
    dilation, groups, bias = (same(window.dilation), 1), (op.groups, 1), (op.bias, True)
    if not window.symmetric:
        optional = {
            "stride": stride, "output_padding": output_padding, "dilation": dilation, "groups": groups, "bias": bias,
        }  # fmt: skip
        return helper_module("CroppedConvTranspose", {**required, "crop": flat(window.pads)}, optional, axes=d)
    optional = {
        "stride": stride, "padding": (even(window), 0), "output_padding": output_padding, "groups": groups,
        "bias": bias, "dilation": dilation,
    }  # fmt: skip
    return ModuleCall(call(f"nn.ConvTranspose{d}d", required, optional))


@SHARED_RULES.rule(conv.ConvTranspose)
def _shared_conv_transpose(op: conv.ConvTranspose, node: Node) -> ModuleCall:
    tensor, d = node.inputs[0].type, axes_of(node)
    window = op.sliding(tensor)
    optional: Options = {
        "stride": (same(window.stride), 1), "padding": (even(window) if window.symmetric else 0, 0),
        "output_padding": (same(op.added(tensor)), 0), "groups": (op.groups, 1),
        "dilation": (same(window.dilation), 1),
    }  # fmt: skip
    call = of_weights(f"F.conv_transpose{d}d", ("weight", "bias"), optional)
    if not window.symmetric:
        crop = tuple(-rows for rows in flat(window.pads))
        call = replace(call, template=f"F.pad({call.template}, {{crop}})", arguments={**call.arguments, "crop": crop})
    return ModuleCall(function=call)
