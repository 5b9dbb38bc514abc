"""Ops that move elements between channels and positions, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import both, family
from archspec.ops import shuffle

RULES = family("shuffle")


@RULES.rule(shuffle.PixelShuffle)
def _pixel_shuffle(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, shuffle.PixelShuffle)
    return both(call("nn.PixelShuffle", {"upscale_factor": op.factor}, {}), "F.pixel_shuffle")


@RULES.rule(shuffle.PixelUnshuffle)
def _pixel_unshuffle(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, shuffle.PixelUnshuffle)
    return both(call("nn.PixelUnshuffle", {"downscale_factor": op.factor}, {}), "F.pixel_unshuffle")


@RULES.rule(shuffle.ChannelShuffle)
def _channel_shuffle(node: Node) -> ModuleCall:
    op = node.op
    assert isinstance(op, shuffle.ChannelShuffle)
    return both(call("nn.ChannelShuffle", {"groups": op.groups}, {}), "F.channel_shuffle")
