"""Shuffles of channels and positions in Keras: axes are split, transposed and joined."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall
from archspec.lower.text.code_model import function
from archspec.ops import shuffle


@RULES.rule(shuffle.PixelShuffle)
def _pixel_shuffle(op: shuffle.PixelShuffle, node: Node) -> LayerCall:
    r, (channels, height, width) = op.factor, node.inputs[0].type.sizes
    return _rearranged(node, (channels // r**2, r, r, height, width), (1, 4, 2, 5, 3))


@RULES.rule(shuffle.PixelUnshuffle)
def _pixel_unshuffle(op: shuffle.PixelUnshuffle, node: Node) -> LayerCall:
    r, (channels, height, width) = op.factor, node.inputs[0].type.sizes
    return _rearranged(node, (channels, height // r, r, width // r, r), (1, 3, 5, 2, 4))


@RULES.rule(shuffle.ChannelShuffle)
def _channel_shuffle(op: shuffle.ChannelShuffle, node: Node) -> LayerCall:
    tensor = node.inputs[0].type
    rest = range(3, tensor.rank + 1)
    return _rearranged(node, (op.groups, tensor.channels // op.groups, *tensor.spatial), (2, 1, *rest))


def _rearranged(node: Node, split_sizes: Sequence[int], order: Sequence[int]) -> LayerCall:
    """The input split into axes of these sizes, transposed to this order, and reshaped to the output."""
    sizes = node.outputs[0].type.sizes
    return LayerCall((
        function("reshape", f"ops.reshape({{x}}, {(-1, *split_sizes)})"),
        function("transpose", f"ops.transpose({{x}}, {(0, *order)})"),
        function("reshape", f"ops.reshape({{x}}, {(-1, *sizes)})"),
    ))  # fmt: skip
