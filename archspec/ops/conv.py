"""Convolution and transposed convolution over 1, 2 or 3 axes."""

from collections.abc import Sequence
from math import isqrt, prod
from typing import ClassVar, Literal

from archspec.frozen import replace
from archspec.ir.types import Initializer, TensorType, Weight
from archspec.ops.attribute_types import ConvPadding, Count, Flag, Natural, Padding, PerAxis
from archspec.ops.base import Cost, Footprint, Op, OpError, along, need_float, need_spatial, per_axis
from archspec.ops.footprint import sliding, transposed
from archspec.ops.geometry import Pads, extent, unslide
from archspec.ops.sliding import Sliding, need_rows, resolve, slid


def fan_in_uniform(fan_in: int) -> Initializer:
    """PyTorch's default for convolutions and linear layers: uniform within 1 / sqrt(fan in)."""
    return Initializer("uniform", {"low": -(fan_in**-0.5), "high": fan_in**-0.5})


def need_divisible(op: str, what: str, channels: int, groups: int) -> None:
    """Check that channels split into groups of equal size.

    Raises:
        OpError: they do not divide the channels.
    """
    if channels % groups:
        small = [g for g in range(1, isqrt(channels) + 1) if channels % g == 0]
        close = min((*small, *(channels // g for g in small)), key=lambda g: abs(g - groups))
        raise OpError(
            "indivisible-channels",
            f"'{op}' cannot split {channels} {what} channels into {groups} equal groups",
            help=f"{channels} channels can be split into {close} group{'s' if close > 1 else ''}",
        )


class Conv(Op):
    """Convolution (cross-correlation, as in every framework): a kernel of weights slides over the input.

    The output is floor((n + p_before + p_after - d(f - 1) - 1) / s) + 1 along each axis. Weights are
    channels * (input channels / groups) * f..., plus one bias a channel; MACs are the weights without bias times the
    output positions.

    Attributes:
        channels: output channels.
        kernel: f, the kernel size.
        stride: s.
        padding: zeros around the input; `same` makes the output ceil(n / s), `valid` is none; `causal` puts
            d(f - 1) of them before the one axis of a sequence, so that no output sees what comes after it.
        padding_mode: what stands in the padding: zeros, the mirrored input, its edge, or the input from the other side.
        dilation: d, the distance between neighbouring taps of the kernel.
        groups: how many groups the input channels are split into; each group has its share of the output channels.
        bias: whether each output channel has a bias.
    """

    kind: ClassVar[str] = "conv"
    family: ClassVar[str] = "conv"
    module: ClassVar[bool] = True

    channels: Count
    kernel: PerAxis[Count]
    stride: PerAxis[Count] = 1
    padding: ConvPadding = 0
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    dilation: PerAxis[Count] = 1
    groups: Count = 1
    bias: Flag = True

    def sliding(self, tensor: TensorType) -> Sliding:
        """Kernel, stride, dilation and padding per axis of this input."""
        return resolve(self.kind, tensor, self.kernel, self.stride, self.padding, self.dilation)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        window = self.sliding(tensor)
        need_divisible(self.kind, "input", tensor.channels, self.groups)
        need_divisible(self.kind, "output", self.channels, self.groups)
        need_rows(self.kind, self.padding_mode, tensor.spatial, window.pads)
        return (tensor.with_sizes(self.channels, *slid(self.kind, tensor, window)),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        (tensor,) = inputs
        per_group = tensor.channels // self.groups
        kernel = self.sliding(tensor).kernel
        start = fan_in_uniform(per_group * prod(kernel))
        weight = Weight("weight", (self.channels, per_group, *kernel), start)
        return (weight, Weight("bias", (self.channels,), start)) if self.bias else (weight,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        (tensor,), (output,) = inputs, outputs
        taps = tensor.channels // self.groups * prod(self.sliding(tensor).kernel)
        return Cost(output.elements * taps, output.elements, {"add": output.elements} if self.bias else {})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        wraps = self.padding_mode == "circular"
        axes = self.sliding(inputs[0]).axes
        return along([None if wraps and any(axis[3]) else sliding(*axis) for axis in axes])


class ConvTranspose(Op):
    """Transposed convolution: each input position adds a kernel of weights to the output, s positions apart.

    The output is (n - 1)s - p_before - p_after + d(f - 1) + output_padding + 1 along each axis. MACs are the weights
    without bias times the *input* positions, what falls into the cropped padding included, as PyTorch counts them.

    Attributes:
        channels: output channels.
        kernel: f, the kernel size.
        stride: s, the factor by which the output grows.
        padding: rows cropped from each side of the output; `same` makes the output n * s, `valid` crops nothing.
        output_padding: rows added after the output, to choose among the sizes the stride makes ambiguous.
        dilation: d, the distance between neighbouring taps of the kernel.
        groups: as for `conv`.
        bias: whether each output channel has a bias.
    """

    kind: ClassVar[str] = "conv_transpose"
    family: ClassVar[str] = "conv"
    module: ClassVar[bool] = True

    channels: Count
    kernel: PerAxis[Count]
    stride: PerAxis[Count] = 1
    padding: Padding = 0
    output_padding: PerAxis[Natural] = 0
    dilation: PerAxis[Count] = 1
    groups: Count = 1
    bias: Flag = True

    def sliding(self, tensor: TensorType) -> Sliding:
        """Kernel, stride, dilation and cropped rows per axis of this input."""
        if self.padding != "same":
            return resolve(self.kind, tensor, self.kernel, self.stride, self.padding, self.dilation)
        window = resolve(self.kind, tensor, self.kernel, self.stride, "valid", self.dilation)
        pads: list[Pads] = []
        for (f, s, d, _), more in zip(window.axes, self.added(tensor), strict=True):
            spare = extent(f, d) + more - s
            if spare < 0:
                raise OpError(
                    "bad-padding",
                    f"'{self.kind}' cannot make its output {s} times its input with a kernel of {f}",
                    help=f"padding 'same' needs a kernel of at least the stride, {s}, or output_padding: {-spare}",
                )
            pads.append((spare // 2, spare - spare // 2))
        return replace(window, pads=tuple(pads))

    def added(self, tensor: TensorType) -> tuple[int, ...]:
        """Output padding per axis."""
        return per_axis(self.kind, "output_padding", self.output_padding, need_spatial(self.kind, tensor))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        window, extra = self.sliding(tensor), self.added(tensor)
        need_divisible(self.kind, "input", tensor.channels, self.groups)
        need_divisible(self.kind, "output", self.channels, self.groups)
        sizes: list[int] = []
        for n, (f, s, d, pads), more in zip(tensor.spatial, window.axes, extra, strict=True):
            if more >= max(s, d):
                raise OpError(
                    "bad-output-padding",
                    f"'{self.kind}' has output_padding {more}, which must be smaller than its stride {s}"
                    + (f" or its dilation {d}" if d > 1 else ""),
                    help="output_padding chooses among the sizes one stride makes ambiguous; use `pad` to add more",
                )
            size = unslide(n, f, s, d, pads, more)
            if size < 1:
                raise OpError(
                    "kernel-too-large",
                    f"'{self.kind}' crops {sum(pads)} rows of an output of {size + sum(pads)}",
                    help="use less padding",
                )
            sizes.append(size)
        return (tensor.with_sizes(self.channels, *sizes),)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        (tensor,) = inputs
        per_group = self.channels // self.groups
        kernel = self.sliding(tensor).kernel
        start = fan_in_uniform(per_group * prod(kernel))
        weight = Weight("weight", (tensor.channels, per_group, *kernel), start)
        return (weight, Weight("bias", (self.channels,), start)) if self.bias else (weight,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        (tensor,), (output,) = inputs, outputs
        taps = self.channels // self.groups * prod(self.sliding(tensor).kernel)
        bias = {"add": output.elements} if self.bias else {}
        return Cost(tensor.elements * taps, min(output.elements, tensor.elements * taps), bias)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([transposed(*axis) for axis in self.sliding(inputs[0]).axes])
