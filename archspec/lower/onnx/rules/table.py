"""The rules: for each op the function that writes it in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules import (
    activation,
    adaptive_pool,
    attention,
    conv,
    norm,
    parameters,
    reduce,
    reshape,
    roi,
    roi_bins,
    shuffle,
    slicing,
    spatial,
    unpool,
)
from archspec.lower.rule_table import Rules
from archspec.ops import Op
from archspec.ops import activation as activation_ops
from archspec.ops import attention as attention_ops
from archspec.ops import conv as conv_ops
from archspec.ops import dropout as dropout_ops
from archspec.ops import linear as linear_ops
from archspec.ops import merge as merge_ops
from archspec.ops import norm as norm_ops
from archspec.ops import parameters as parameters_ops
from archspec.ops import pool as pool_ops
from archspec.ops import reduce as reduce_ops
from archspec.ops import reshape as reshape_ops
from archspec.ops import roi as roi_ops
from archspec.ops import shuffle as shuffle_ops
from archspec.ops import slicing as slicing_ops
from archspec.ops import spatial as spatial_ops
from archspec.ops import unpool as unpool_ops

Rule = Callable[[Any, Emit], str | tuple[str, ...]]
"""Writes one layer, of an op of the class it is entered for; returns the name of the value the layer makes, or the
names of all its values."""

_TABLE: tuple[tuple[type[Op], Rule], ...] = (
    (conv_ops.Conv, conv.conv),
    (conv_ops.ConvTranspose, conv.conv_transpose),
    (pool_ops.MaxPool, conv.max_pool),
    (unpool_ops.MaxUnpool, unpool.max_unpool),
    (pool_ops.AvgPool, conv.avg_pool),
    (pool_ops.GlobalMaxPool, activation.named("GlobalMaxPool")),
    (pool_ops.GlobalAvgPool, activation.named("GlobalAveragePool")),
    (pool_ops.AdaptiveMaxPool, adaptive_pool.adaptive_max_pool),
    (pool_ops.AdaptiveAvgPool, adaptive_pool.adaptive_avg_pool),
    (reduce_ops.ReduceMean, reduce.reduced("ReduceMean")),
    (reduce_ops.ReduceSum, reduce.reduced("ReduceSum")),
    (reduce_ops.ReduceMax, reduce.reduced("ReduceMax")),
    (roi_ops.RoiAlign, roi.roi_align),
    (roi_ops.RoiPool, roi_bins.roi_pool),
    (linear_ops.Linear, norm.linear),
    (linear_ops.CapsuleVotes, norm.capsule_votes),
    (linear_ops.RadialBasis, norm.radial_basis),
    (attention_ops.MatMul, attention.matmul),
    (attention_ops.MultiHeadAttention, attention.multi_head_attention),
    (norm_ops.BatchNorm, norm.batch_norm),
    (norm_ops.FrozenBatchNorm, norm.batch_norm),
    (norm_ops.LayerNorm, norm.layer_norm),
    (norm_ops.GroupNorm, norm.group_norm),
    (norm_ops.InstanceNorm, norm.instance_norm),
    (norm_ops.LocalResponseNorm, norm.local_response_norm),
    (norm_ops.L2Normalize, reduce.l2_normalize),
    (norm_ops.Affine, norm.affine),
    (parameters_ops.LayerScale, parameters.layer_scale),
    (parameters_ops.ClassToken, parameters.class_token),
    (parameters_ops.PositionEmbedding, parameters.position_embedding),
    (parameters_ops.Embedding, parameters.embedding),
    (activation_ops.Relu, activation.named("Relu")),
    (activation_ops.Relu6, activation.relu6),
    (activation_ops.LeakyRelu, activation.leaky_relu),
    (activation_ops.PRelu, activation.prelu),
    (activation_ops.Elu, activation.elu),
    (activation_ops.Selu, activation.named("Selu")),
    (activation_ops.Sigmoid, activation.named("Sigmoid")),
    (activation_ops.HardSigmoid, activation.hard_sigmoid),
    (activation_ops.Tanh, activation.tanh),
    (activation_ops.Gelu, activation.gelu),
    (activation_ops.Silu, activation.silu),
    (activation_ops.HardSwish, activation.named("HardSwish")),
    (activation_ops.Mish, activation.named("Mish")),
    (activation_ops.Softplus, activation.named("Softplus")),
    (activation_ops.HardTanh, activation.hard_tanh),
    (activation_ops.Softsign, activation.named("Softsign")),
    (activation_ops.Celu, activation.celu),
    (activation_ops.Threshold, activation.threshold),
    (activation_ops.LogSigmoid, activation.log_sigmoid),
    (activation_ops.Glu, activation.glu),
    (activation_ops.Scale, activation.scale),
    (activation_ops.Clip, activation.clip),
    (activation_ops.Softmax, activation.softmax),
    (activation_ops.LogSoftmax, activation.log_softmax),
    (activation_ops.Squash, reduce.squash),
    (dropout_ops.Dropout, reshape.passes),
    (dropout_ops.SpatialDropout, reshape.passes),
    (dropout_ops.StochasticDepth, reshape.passes),
    (merge_ops.Add, activation.joined("Add", "Sum")),
    (merge_ops.Mul, activation.mul),
    (merge_ops.Mean, activation.joined("Mean", "Mean")),
    (merge_ops.Max, activation.joined("Max", "Max")),
    (merge_ops.Concat, activation.concat),
    (reshape_ops.Flatten, reshape.flatten),
    (reshape_ops.Reshape, reshape.reshape),
    (reshape_ops.Permute, reshape.permute),
    (reshape_ops.Select, reshape.select),
    (slicing_ops.Split, slicing.split),
    (slicing_ops.Slice, slicing.slice_),
    (spatial_ops.Pad, reshape.pad),
    (spatial_ops.PadChannels, reshape.pad_channels),
    (spatial_ops.CenterCrop, reshape.center_crop),
    (spatial_ops.Upsample, reshape.upsample),
    (spatial_ops.UpsampleLike, spatial.upsample_like),
    (spatial_ops.CropLike, spatial.crop_like),
    (shuffle_ops.PixelShuffle, shuffle.pixel_shuffle),
    (shuffle_ops.PixelUnshuffle, shuffle.pixel_unshuffle),
    (shuffle_ops.ChannelShuffle, shuffle.channel_shuffle),
    (reshape_ops.Identity, reshape.passes),
)

RULES: Rules[Rule] = Rules("ONNX", "archspec/lower/onnx/rules.py")
for _op, _rule in _TABLE:
    RULES.add(_op, _rule)
