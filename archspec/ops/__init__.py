"""The ops: one final class each, with its attributes and its facts. `OPS` lists them all."""

from archspec.ops.activation import (
    Celu,
    Clip,
    Elu,
    Gelu,
    Glu,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyRelu,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PRelu,
    Relu,
    Relu6,
    Scale,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Squash,
    Tanh,
    Threshold,
)
from archspec.ops.attention import MatMul, MultiHeadAttention
from archspec.ops.attribute_checks import InvalidAttributes
from archspec.ops.base import Cost, Footprint, Op, OpError
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.dropout import Dropout, SpatialDropout, StochasticDepth
from archspec.ops.function import FUNCTIONS
from archspec.ops.linear import CapsuleVotes, Linear, RadialBasis
from archspec.ops.merge import COMPARISONS, Add, Concat, Div, Max, Mean, Min, Mul, Pow, Stack, Sub, Where
from archspec.ops.norm import (
    Affine,
    BatchNorm,
    FrozenBatchNorm,
    GroupNorm,
    InstanceNorm,
    L2Normalize,
    LayerNorm,
    LocalResponseNorm,
    RmsNorm,
)
from archspec.ops.parameters import ClassToken, Embedding, LayerScale, Parameter, PositionEmbedding
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.ops.recurrent import Gru, Lstm, Rnn
from archspec.ops.reduce import REDUCTIONS, ArgMax, CumSum
from archspec.ops.reshape import Expand, Flatten, Identity, Permute, Reshape, Select, Squeeze, Tile, Unsqueeze
from archspec.ops.roi import RoiAlign, RoiPool
from archspec.ops.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from archspec.ops.slicing import Flip, Roll, Slice, Split
from archspec.ops.spatial import CenterCrop, CropLike, Pad, PadChannels, Upsample, UpsampleLike
from archspec.ops.unpool import MaxUnpool

__all__ = ["OPS", "Cost", "Footprint", "InvalidAttributes", "Op", "OpError"]

OPS: tuple[type[Op], ...] = (
    Conv, ConvTranspose,
    MaxPool, MaxUnpool, AvgPool, GlobalMaxPool, GlobalAvgPool, AdaptiveMaxPool, AdaptiveAvgPool,
    RoiAlign, RoiPool, *REDUCTIONS, ArgMax, CumSum,
    Linear, RadialBasis, CapsuleVotes, MatMul, MultiHeadAttention, Lstm, Gru, Rnn,
    BatchNorm, FrozenBatchNorm, LayerNorm, RmsNorm, GroupNorm, InstanceNorm, LocalResponseNorm, L2Normalize, Affine,
    LayerScale, ClassToken, PositionEmbedding, Parameter, Embedding,
    Relu, Relu6, LeakyRelu, PRelu, Elu, Selu, Sigmoid, HardSigmoid, Tanh, Gelu, Silu, HardSwish, Mish,
    Softplus, HardTanh, Softsign, Celu, Threshold, LogSigmoid, Glu, Scale, Clip,
    Softmax, LogSoftmax, Squash, Dropout, SpatialDropout, StochasticDepth,
    *FUNCTIONS,
    Add, Sub, Mul, Div, Pow, Min, Max, Mean, *COMPARISONS, Where, Concat, Stack,
    Flatten, Reshape, Squeeze, Unsqueeze, Expand, Tile, Permute, Select, Split, Slice, Roll, Flip,
    Pad, PadChannels, CenterCrop, CropLike,
    Upsample, UpsampleLike, PixelShuffle, PixelUnshuffle, ChannelShuffle, Identity,
)  # fmt: skip
"""Every op, by family. The order is the order of the reference."""
