"""Normalization, and the per-channel affine maps that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import DType, Initializer, TensorType, Weight
from archspec.ops.attributes import Count, Flag, Momentum, Number, Positive
from archspec.ops.base import Op, Refusal, Work, need_float

ZEROS, ONES = Initializer("zeros"), Initializer("ones")


def need_channels(op: str, tensor: TensorType) -> None:
    """Raises:
    Refusal: there is no channel axis.
    """
    if not tensor.sizes:
        raise Refusal("wrong-rank", f"'{op}' works a channel at a time, but {tensor} has only the batch")


class BatchNorm(Op):
    """Batch normalization: (x - mean) / sqrt(variance + eps) * weight + bias, a channel at a time.

    While training, mean and variance are those of the batch, and the running ones move by `momentum`; afterwards
    they are the running ones. Two parameters and two buffers a channel, and one count of the batches seen.

    Attributes:
        eps: added to the variance.
        momentum: the share of the new batch in the running mean and variance.
        affine: whether weight and bias are learned.
    """

    kind: ClassVar[str] = "batch_norm"
    module: ClassVar[bool] = True

    eps: Positive = 1e-5
    momentum: Momentum = 0.1
    affine: Flag = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_channels(self.kind, tensor)
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

    def work(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Work:
        elements = outputs[0].elements
        return Work(other={"multiply": elements, "add": elements})


class LocalResponseNorm(Op):
    """Local response normalization across channels: x / (k + alpha / size * sum of squares)^beta.

    The sum runs over `size` neighbouring channels, the middle one being normalized. AlexNet's paper writes the same
    without dividing by the size: its alpha is alpha / size here, as it is in PyTorch, Caffe and ONNX.

    Attributes:
        size: neighbouring channels, an odd number.
        alpha: weight of the squares.
        beta: exponent.
        k: what is added to the squares.
    """

    kind: ClassVar[str] = "local_response_norm"
    principal: ClassVar[str | None] = "size"
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
            raise Refusal("wrong-rank", f"'{self.kind}' needs spatial axes after the channels, got {tensor}")
        if self.size % 2 == 0:
            raise Refusal(
                "even-window",
                f"'{self.kind}' has size {self.size}, but only an odd number of channels has a middle one",
                help=f"PyTorch and ONNX place an even window differently; use {self.size + 1} or {self.size - 1}",
            )
        return (tensor,)

    def work(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Work:
        elements = outputs[0].elements
        return Work(
            other={
                "multiply": elements * (self.size + 1),
                "add": elements * self.size,
                "power": elements,
                "divide": elements,
            }
        )


class Affine(Op):
    """A learned scale and shift a channel: x * weight + bias. With averages before it, LeNet-5's subsampling.

    Attributes:
        bias: whether there is a shift as well.
    """

    kind: ClassVar[str] = "affine"
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

    def work(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Work:
        elements = outputs[0].elements
        return Work(other={"multiply": elements, **({"add": elements} if self.bias else {})})
