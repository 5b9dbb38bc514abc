"""Ops that move elements between channels and positions, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import call
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, both
from archspec.ops import shuffle


@RULES.rule(shuffle.PixelShuffle)
def _pixel_shuffle(op: shuffle.PixelShuffle, node: Node) -> ModuleCall:
    return both(call("nn.PixelShuffle", {"upscale_factor": op.factor}, {}), "F.pixel_shuffle")


@RULES.rule(shuffle.PixelUnshuffle)
def _pixel_unshuffle(op: shuffle.PixelUnshuffle, node: Node) -> ModuleCall:
    return both(call("nn.PixelUnshuffle", {"downscale_factor": op.factor}, {}), "F.pixel_unshuffle")


@RULES.rule(shuffle.ChannelShuffle)
def _channel_shuffle(op: shuffle.ChannelShuffle, node: Node) -> ModuleCall:
    return both(call("nn.ChannelShuffle", {"groups": op.groups}, {}), "F.channel_shuffle")
