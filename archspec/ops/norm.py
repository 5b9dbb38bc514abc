"""Normalization, and the per-channel affine maps that go with it."""

from collections.abc import Sequence
from math import prod
from typing import ClassVar, Literal

from archspec.ir.types import DType, Initializer, TensorType, Weight
from archspec.ops.attribute_types import Count, Flag, Momentum, Number, Positive, Whole
from archspec.ops.base import (
    MOST_SPATIAL,
    Cost,
    Footprint,
    Op,
    OpError,
    need_axis,
    need_float,
    need_spatial,
    pointwise,
)
from archspec.ops.conv import need_divisible
from archspec.ops.footprint import IDENTITY, sliding

ZEROS, ONES = Initializer("zeros"), Initializer("ones")


def need_channels(op: str, tensor: TensorType) -> None:
    """Check that there is a channel axis.

    Raises:
        OpError: the only axis is the batch.
    """
    if not tensor.sizes:
        raise OpError("wrong-rank", f"'{op}' needs channels, but {tensor} has only the batch axis")


class BatchNorm(Op):
    """Batch normalization: (x - mean) / sqrt(variance + eps) * weight + bias, per channel.

    In training, mean and variance are those of the batch, and the running ones move by `momentum`; at inference the
    running ones are used. Two parameters and two buffers per channel, and one count of batches.

    Attributes:
        eps: added to the variance.
        momentum: the share of the new batch in the running mean and variance.
        affine: whether weight and bias are learned.
    """

    kind: ClassVar[str] = "batch_norm"
    family: ClassVar[str] = "norm"
    module: ClassVar[bool] = True

    eps: Positive = 1e-5
    momentum: Momentum = 0.1
    affine: Flag = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
        if len(tensor.spatial) > MOST_SPATIAL:
            raise OpError(
                "wrong-rank",
                f"'{self.kind}' takes at most {MOST_SPATIAL} spatial axes, and {tensor} has {len(tensor.spatial)}",
                help="merge axes before it with `flatten`",
            )
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        shape = (inputs[0].channels,)
        learned = (Weight("weight", shape, ONES), Weight("bias", shape, ZEROS))
        running = (
            Weight("running_mean", shape, ZEROS, trainable=False, buffer=True),
            Weight("running_var", shape, ONES, trainable=False, buffer=True),
            Weight("num_batches_tracked", (), ZEROS, trainable=False, buffer=True, dtype=DType.INT64),
        )
        return (learned + running) if self.affine else running

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(other={"multiply": elements, "add": elements})


class FrozenBatchNorm(Op):
    """Batch normalization with fixed numbers: (x - mean) / sqrt(variance + eps) * weight + bias per channel.

    Detectors use it in a pretrained backbone, since their batches are too small for statistics. All four are buffers:
    none changes in training.

    Attributes:
        eps: added to the variance.
    """

    kind: ClassVar[str] = "frozen_batch_norm"
    family: ClassVar[str] = "norm"
    module: ClassVar[bool] = True

    eps: Positive = 1e-5

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        starts = {"weight": ONES, "bias": ZEROS, "running_mean": ZEROS, "running_var": ONES}
        shape = (inputs[0].channels,)
        return tuple(Weight(name, shape, start, trainable=False, buffer=True) for name, start in starts.items())

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(other={"multiply": elements, "add": elements})


def _standardized(elements: int, groups: int, affine: bool) -> Cost:
    """The cost of subtracting the mean of each group of elements and dividing by its standard deviation.

    Per group two sums, two divisions, eps and a root; per element a subtraction, a square and a division, and a scale
    and a shift if they are learned.
    """
    return Cost(
        other={
            "add": 2 * (elements - groups) + groups + affine * elements,
            "subtract": elements,
            "multiply": elements + affine * elements,
            "divide": elements + 2 * groups,
            "sqrt": groups,
        }
    )


def _need_several(op: str, what: str, count: int) -> None:
    """Check that a normalization is over more than one number.

    Raises:
        OpError: each normalization would be over a single number.
    """
    if count == 1:
        raise OpError(
            "nothing-to-normalize",
            f"'{op}' would normalize {what} of one number, which gives zero",
            help="leave it out, or normalize over more",
        )


def _need_axes(op: str, axes: int, tensor: TensorType) -> None:
    """Check that there are as many axes as are normalized together.

    Raises:
        OpError: there are fewer.
    """
    if len(tensor.sizes) < axes:
        raise OpError(
            "wrong-rank",
            f"'{op}' over {axes} {'axis' if axes == 1 else 'axes'} needs as many axes, got {tensor}",
            help="the batch axis does not count",
        )


class LayerNorm(Op):
    """Layer normalization: (x - mean) / sqrt(variance + eps) * weight + bias, per sample.

    Mean and variance are over the last `axes` axes together, at each position of those before, and there is a weight
    and a bias for each number in them. Over `channels` they are over axis 1 at each position, with a weight and a bias
    a channel: ConvNeXt's form.

    Attributes:
        axes: how many of the last axes are normalized together; `channels` for axis 1 alone.
        eps: added to the variance.
        affine: whether weight and bias are learned.
    """

    kind: ClassVar[str] = "layer_norm"
    family: ClassVar[str] = "norm"
    shorthand: ClassVar[str | None] = "axes"
    module: ClassVar[bool] = True

    axes: Count | Literal["channels"] = 1
    eps: Positive = 1e-5
    affine: Flag = True

    def normalized_axes(self, tensor: TensorType) -> range:
        """The axes that are normalized together, counted from the front."""
        return range(1, 2) if self.axes == "channels" else range(tensor.rank - self.axes, tensor.rank)

    def normalized(self, tensor: TensorType) -> tuple[int, ...]:
        """The sizes of the axes that are normalized together."""
        return tuple(tensor.sizes[axis - 1] for axis in self.normalized_axes(tensor))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        _need_axes(self.kind, 1 if self.axes == "channels" else self.axes, tensor)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        shape = self.normalized(inputs[0])
        return (Weight("weight", shape, ONES), Weight("bias", shape, ZEROS)) if self.affine else ()

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return _standardized(elements, elements // prod(self.normalized(inputs[0])), self.affine)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axes(inputs[0])
        return {axis: (axis, IDENTITY) for axis in range(1, inputs[0].rank) if axis not in selected}


class RmsNorm(Op):
    """Root-mean-square normalization: x / sqrt(mean of x^2 + eps) * weight, per sample (Zhang and Sennrich 2019).

    The mean is over the last `axes` axes together, at each position of those before, and there is a weight for each
    number in them. It is layer normalization without the mean and the bias.

    Attributes:
        axes: how many of the last axes are normalized together.
        eps: added to the mean of the squares.
        affine: whether the weight is learned.
    """

    kind: ClassVar[str] = "rms_norm"
    family: ClassVar[str] = "norm"
    shorthand: ClassVar[str | None] = "axes"
    module: ClassVar[bool] = True

    axes: Count = 1
    eps: Positive = 1e-6
    affine: Flag = True

    def normalized(self, tensor: TensorType) -> tuple[int, ...]:
        """The sizes of the axes that are normalized together."""
        return tensor.sizes[len(tensor.sizes) - self.axes :]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        _need_axes(self.kind, self.axes, tensor)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        return (Weight("weight", self.normalized(inputs[0]), ONES),) if self.affine else ()

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        groups = elements // prod(self.normalized(inputs[0]))
        multiply = elements + self.affine * elements
        return Cost(other={"add": elements, "multiply": multiply, "divide": elements + groups, "sqrt": groups})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {axis: (axis, IDENTITY) for axis in range(1, inputs[0].rank - self.axes)}


class GroupNorm(Op):
    """Group normalization: (x - mean) / sqrt(variance + eps) * weight + bias, with one weight and one bias per channel.

    Mean and variance are per sample, over all positions of one group of neighbouring channels.

    Attributes:
        groups: how many groups the channels are split into; 1 is all channels together.
        eps: added to the variance.
        affine: whether weight and bias are learned.
    """

    kind: ClassVar[str] = "group_norm"
    family: ClassVar[str] = "norm"
    shorthand: ClassVar[str | None] = "groups"
    module: ClassVar[bool] = True

    groups: Count
    eps: Positive = 1e-5
    affine: Flag = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
        need_divisible(self.kind, "input", tensor.channels, self.groups)
        _need_several(self.kind, "a group", tensor.elements // self.groups)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        shape = (inputs[0].channels,)
        return (Weight("weight", shape, ONES), Weight("bias", shape, ZEROS)) if self.affine else ()

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return _standardized(outputs[0].elements, self.groups, self.affine)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {}


class InstanceNorm(Op):
    """Instance normalization: (x - mean) / sqrt(variance + eps), then * weight + bias if it is affine.

    Mean and variance are over the positions of one channel of one sample, in training and at inference: there is
    nothing that runs along.

    Attributes:
        eps: added to the variance.
        affine: whether one weight and one bias per channel are learned.
    """

    kind: ClassVar[str] = "instance_norm"
    family: ClassVar[str] = "norm"
    module: ClassVar[bool] = True

    eps: Positive = 1e-5
    affine: Flag = False

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_spatial(self.kind, tensor)
        _need_several(self.kind, "a channel", prod(tensor.spatial))
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        shape = (inputs[0].channels,)
        return (Weight("weight", shape, ONES), Weight("bias", shape, ZEROS)) if self.affine else ()

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return _standardized(outputs[0].elements, inputs[0].channels, self.affine)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {1: (1, IDENTITY)}


class LocalResponseNorm(Op):
    """Local response normalization across channels: x / (k + alpha / size * sum of squares)^beta.

    The sum runs over `size` neighbouring channels, the middle one being normalized. AlexNet's paper writes the same
    without dividing by the size: its alpha is alpha / size here, as it is in PyTorch, Caffe and ONNX.

    Attributes:
        size: neighbouring channels, an odd number.
        alpha: weight of the squares.
        beta: exponent.
        k: added to the squares.
    """

    kind: ClassVar[str] = "local_response_norm"
    family: ClassVar[str] = "norm"
    shorthand: ClassVar[str | None] = "size"
    module: ClassVar[bool] = True

    size: Count
    alpha: Number = 1e-4
    beta: Number = 0.75
    k: Number = 1.0

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
        if len(tensor.sizes) < 2:
            raise OpError("wrong-rank", f"'{self.kind}' needs spatial axes after the channels, got {tensor}")
        if self.size % 2 == 0:
            raise OpError(
                "even-window",
                f"'{self.kind}' has size {self.size}, but only an odd number of channels has a middle one",
                help=f"PyTorch and ONNX place an even window differently; use {self.size + 1} or {self.size - 1}",
            )
        return (tensor,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(
            other={
                "multiply": elements * (self.size + 1),
                "add": elements * self.size,
                "power": elements,
                "divide": elements,
            }
        )

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        neighbours = sliding(self.size, 1, 1, (self.size // 2, self.size // 2))
        return {**pointwise(outputs[0]), 1: (1, neighbours)}


class L2Normalize(Op):
    """Vectors scaled to length 1: x / max(|x|, eps), where |x| is the root of the sum of squares along one axis.

    Attributes:
        axis: the axis along which the vectors lie; 1 is the channels, -1 the last.
        eps: the smallest divisor.
    """

    kind: ClassVar[str] = "l2_normalize"
    family: ClassVar[str] = "norm"
    shorthand: ClassVar[str | None] = "axis"

    axis: Whole = 1
    eps: Positive = 1e-12

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        self.normalized_axis(tensor)
        return (tensor,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        vectors = elements // inputs[0].sizes[self.normalized_axis(inputs[0]) - 1]
        return Cost(
            other={
                "multiply": elements,
                "add": elements - vectors,
                "sqrt": vectors,
                "compare": vectors,
                "divide": elements,
            }
        )

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axis(inputs[0])
        return {axis: (axis, IDENTITY) for axis in range(1, inputs[0].rank) if axis != selected}


class Affine(Op):
    """A learned scale and shift per channel: x * weight + bias. After average pooling, LeNet-5's subsampling.

    Attributes:
        bias: whether there is a shift.
    """

    kind: ClassVar[str] = "affine"
    family: ClassVar[str] = "norm"
    module: ClassVar[bool] = True

    bias: Flag = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
        return (tensor,)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        shape = (inputs[0].channels,)
        return (Weight("weight", shape, ONES), Weight("bias", shape, ZEROS))[: 1 + self.bias]

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(other={"multiply": elements, **({"add": elements} if self.bias else {})})
