"""The rules: for each op the function that writes it in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.lower.onnx import (
    adaptive,
    affine,
    attention,
    bins,
    layout,
    learned,
    like,
    parts,
    pointwise,
    reduce,
    region,
    shuffle,
    unpool,
    windows,
)
from archspec.lower.onnx.emit import Emit
from archspec.lower.rules import Rules
from archspec.ops import Op, activation, conv, drop, join, linear, norm, pool
from archspec.ops import attention as products
from archspec.ops import layout as moves
from archspec.ops import learned as parameters
from archspec.ops import like as sized
from archspec.ops import parts as pieces
from archspec.ops import reduce as reductions
from archspec.ops import region as regions
from archspec.ops import shuffle as shuffles
from archspec.ops import unpool as unpoolings

Rule = Callable[[Any, Emit], str | tuple[str, ...]]
"""Writes one layer, of an op of the class it is entered for; returns the name of the value the layer makes, or the
names of all its values."""

_TABLE: tuple[tuple[type[Op], Rule], ...] = (
    (conv.Conv, windows.conv),
    (conv.ConvTranspose, windows.conv_transpose),
    (pool.MaxPool, windows.max_pool),
    (unpoolings.MaxUnpool, unpool.max_unpool),
    (pool.AvgPool, windows.avg_pool),
    (pool.GlobalMaxPool, pointwise.named("GlobalMaxPool")),
    (pool.GlobalAvgPool, pointwise.named("GlobalAveragePool")),
    (pool.AdaptiveMaxPool, adaptive.adaptive_max_pool),
    (pool.AdaptiveAvgPool, adaptive.adaptive_avg_pool),
    (reductions.ReduceMean, reduce.reduced("ReduceMean")),
    (reductions.ReduceSum, reduce.reduced("ReduceSum")),
    (reductions.ReduceMax, reduce.reduced("ReduceMax")),
    (regions.RoiAlign, region.roi_align),
    (regions.RoiPool, bins.roi_pool),
    (linear.Linear, affine.linear),
    (linear.CapsuleVotes, affine.capsule_votes),
    (linear.RadialBasis, affine.radial_basis),
    (products.MatMul, attention.matmul),
    (products.MultiHeadAttention, attention.multi_head_attention),
    (norm.BatchNorm, affine.batch_norm),
    (norm.FrozenBatchNorm, affine.batch_norm),
    (norm.LayerNorm, affine.layer_norm),
    (norm.GroupNorm, affine.group_norm),
    (norm.InstanceNorm, affine.instance_norm),
    (norm.LocalResponseNorm, affine.local_response_norm),
    (norm.L2Normalize, reduce.l2_normalize),
    (norm.Affine, affine.affine),
    (parameters.LayerScale, learned.layer_scale),
    (parameters.ClassToken, learned.class_token),
    (parameters.PositionEmbedding, learned.position_embedding),
    (parameters.Embedding, learned.embedding),
    (activation.Relu, pointwise.named("Relu")),
    (activation.Relu6, pointwise.relu6),
    (activation.LeakyRelu, pointwise.leaky_relu),
    (activation.PRelu, pointwise.prelu),
    (activation.Elu, pointwise.elu),
    (activation.Selu, pointwise.named("Selu")),
    (activation.Sigmoid, pointwise.named("Sigmoid")),
    (activation.HardSigmoid, pointwise.hard_sigmoid),
    (activation.Tanh, pointwise.tanh),
    (activation.Gelu, pointwise.gelu),
    (activation.Silu, pointwise.silu),
    (activation.HardSwish, pointwise.named("HardSwish")),
    (activation.Mish, pointwise.named("Mish")),
    (activation.Softplus, pointwise.named("Softplus")),
    (activation.HardTanh, pointwise.hard_tanh),
    (activation.Softsign, pointwise.named("Softsign")),
    (activation.Celu, pointwise.celu),
    (activation.Threshold, pointwise.threshold),
    (activation.LogSigmoid, pointwise.log_sigmoid),
    (activation.Glu, pointwise.glu),
    (activation.Scale, pointwise.scale),
    (activation.Clip, pointwise.clip),
    (activation.Softmax, pointwise.softmax),
    (activation.LogSoftmax, pointwise.log_softmax),
    (activation.Squash, reduce.squash),
    (activation.Dropout, layout.passes),
    (drop.SpatialDropout, layout.passes),
    (drop.StochasticDepth, layout.passes),
    (join.Add, pointwise.joined("Add", "Sum")),
    (join.Mul, pointwise.mul),
    (join.Mean, pointwise.joined("Mean", "Mean")),
    (join.Max, pointwise.joined("Max", "Max")),
    (join.Concat, pointwise.concat),
    (moves.Flatten, layout.flatten),
    (moves.Reshape, layout.reshape),
    (moves.Permute, layout.permute),
    (moves.Select, layout.select),
    (pieces.Split, parts.split),
    (pieces.Slice, parts.slice_),
    (moves.Pad, layout.pad),
    (moves.PadChannels, layout.pad_channels),
    (moves.CenterCrop, layout.center_crop),
    (moves.Upsample, layout.upsample),
    (sized.UpsampleLike, like.upsample_like),
    (sized.CropLike, like.crop_like),
    (shuffles.PixelShuffle, shuffle.pixel_shuffle),
    (shuffles.PixelUnshuffle, shuffle.pixel_unshuffle),
    (shuffles.ChannelShuffle, shuffle.channel_shuffle),
    (moves.Identity, layout.passes),
)

RULES: Rules[Rule] = Rules("ONNX", "archspec/lower/onnx/rules.py")
for _op, _rule in _TABLE:
    RULES.add(_op, _rule)
