"""Ops that move elements between channels and positions, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle


@RULES.rule(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, emit: Emit) -> str:
    """DepthToSpace, with the channel before the place in the square."""
    return emit.last("DepthToSpace", emit.input, blocksize=op.factor, mode="CRD")


@RULES.rule(PixelUnshuffle)
def pixel_unshuffle(op: PixelUnshuffle, emit: Emit) -> str:
    """SpaceToDepth orders its channels the other way, the place in the square first: the axes are cut and turned."""
    channels, height, width = emit.type.sizes
    cut = (channels, height // op.factor, op.factor, width // op.factor, op.factor)
    return _turned(emit, cut, (1, 3, 5, 2, 4))


@RULES.rule(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, emit: Emit) -> str:
    """Groups and channels within a group change places."""
    cut = (op.groups, emit.type.channels // op.groups, emit.type.elements // emit.type.channels)
    return _turned(emit, cut, (2, 1, 3))


def _turned(emit: Emit, cut: Sequence[int], order: Sequence[int]) -> str:
    """The input with its axes cut, these put in another order, and joined to what the layer makes."""
    tensor = emit.type.with_sizes(*cut)
    turned = emit.type.with_sizes(*(cut[axis - 1] for axis in order))
    value = emit.step("cut", "Reshape", emit.input, emit.integers("shape", (0, *cut)), type=tensor)
    value = emit.step("turned", "Transpose", value, type=turned, perm=(0, *order))
    return emit.last("Reshape", value, emit.integers("shape", (0, *emit.output.sizes)))
