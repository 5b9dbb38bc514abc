"""Moving elements between channels and positions, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.lower.onnx.builder import OnnxBuilder
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle


@RULES.rule(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, b: OnnxBuilder) -> str:
    """DepthToSpace in mode CRD: the channel index is before the position in the block."""
    return b.result("DepthToSpace", b.input, blocksize=op.factor, mode="CRD")


@RULES.rule(PixelUnshuffle)
def pixel_unshuffle(op: PixelUnshuffle, b: OnnxBuilder) -> str:
    """Reshape and Transpose: SpaceToDepth puts the position in the block before the channel index."""
    channels, height, width = b.input_type.sizes
    cut = (channels, height // op.factor, op.factor, width // op.factor, op.factor)
    return _split_and_permute(b, cut, (1, 3, 5, 2, 4))


@RULES.rule(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, b: OnnxBuilder) -> str:
    """Reshape and Transpose: the axis of groups and the axis of channels within a group are swapped."""
    cut = (op.groups, b.input_type.channels // op.groups, b.input_type.elements // b.input_type.channels)
    return _split_and_permute(b, cut, (2, 1, 3))


def _split_and_permute(b: OnnxBuilder, cut: Sequence[int], order: Sequence[int]) -> str:
    """Split axes to the sizes `cut`, permute them by `order`, and reshape to the output."""
    tensor = b.input_type.with_sizes(*cut)
    permuted = b.input_type.with_sizes(*(cut[axis - 1] for axis in order))
    value = b.step("cut", "Reshape", b.input, b.shape("shape", b.input_type, cut), type=tensor)
    value = b.step("turned", "Transpose", value, type=permuted, perm=(0, *order))
    return b.result("Reshape", value, b.shape("shape", permuted, b.output_type.sizes))
