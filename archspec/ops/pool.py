"""Pooling over 1, 2 or 3 axes: sliding, global and adaptive, by maximum or by average."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

from archspec.ir.types import DType, TensorType
from archspec.ops.attribute_types import Count, Flag, Padding, PerAxis
from archspec.ops.base import Cost, Footprint, Op, OpError, along, need_float, need_spatial, per_axis
from archspec.ops.footprint import adaptive, sliding
from archspec.ops.geometry import adaptive_reads, extent
from archspec.ops.sliding import Sliding, resolve, slid, without_usual_stride


def need_some_input(op: str, tensor: TensorType, window: Sliding) -> None:
    """Check that every window reads at least one input position.

    Raises:
        OpError: some would lie in the padding alone.
    """
    for size, (kernel, stride, dilation, pads) in zip(tensor.spatial, window.axes, strict=True):
        spans = extent(kernel, dilation)
        # A window that starts in the padding reaches the input first at its start modulo the dilation.
        starts = range(-pads[0], 0, stride)[:dilation] if dilation > size else ()
        if max(pads) >= spans or any(start % dilation >= size for start in starts):
            raise OpError(
                "bad-padding",
                f"'{op}' pads {max(pads)} rows for a kernel that spans {spans}, so it would pool padding alone over "
                f"{tensor}",
                help="padding must be smaller than the kernel, and the input no smaller than the dilation",
            )


class MaxPool(Op):
    """Max pooling: the largest value in each window. Padding is never the largest.

    The output is floor((n + p_before + p_after - d(f - 1) - 1) / s) + 1, or the ceiling of the fraction.

    Attributes:
        kernel: f, the size of the window.
        stride: s; the kernel unless given.
        padding: rows around the input that the window may reach into; `same` makes the output ceil(n / s).
        dilation: d, the distance between neighbouring positions of the window.
        ceil: round the number of positions up, so that a last partial window counts, if it starts inside the input.
        indices: whether there is a second output, `layer.indices`, for `max_unpool`: where in its channel each value
            stood, counted row by row.
    """

    kind: ClassVar[str] = "max_pool"
    family: ClassVar[str] = "pool"
    shorthand: ClassVar[str | None] = "kernel"
    primary_outputs: ClassVar[int | None] = 1
    module: ClassVar[bool] = True

    kernel: PerAxis[Count]
    stride: PerAxis[Count] | None = None
    padding: Padding = 0
    dilation: PerAxis[Count] = 1
    ceil: Flag = False
    indices: Flag = False

    @property
    def ports(self) -> tuple[str, ...]:
        return ("output", "indices") if self.indices else ("output",)

    def canonical_attributes(self) -> dict[str, Any]:
        return without_usual_stride(super().canonical_attributes())

    def sliding(self, tensor: TensorType) -> Sliding:
        """Kernel, stride, dilation and padding per axis of this input."""
        stride = self.kernel if self.stride is None else self.stride
        return resolve(self.kind, tensor, self.kernel, stride, self.padding, self.dilation)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        window = self.sliding(tensor)
        need_some_input(self.kind, tensor, window)
        pooled = tensor.with_sizes(tensor.channels, *slid(self.kind, tensor, window, ceil=self.ceil))
        if not self.indices:
            return (pooled,)
        self._need_countable(window)
        return pooled, TensorType(pooled.sizes, DType.INT64)

    def _need_countable(self, window: Sliding) -> None:
        """Check that indices are defined.

        Raises:
            OpError: PyTorch and ONNX Runtime have no common way to say where under this window a value stood.
        """
        if any(dilation > 1 for dilation in window.dilation):
            raise OpError(
                "wrong-attributes", f"'{self.kind}' with indices takes no dilation: `max_unpool` cannot undo it"
            )
        if not window.symmetric or any(2 * pads[0] > kernel for kernel, _, _, pads in window.axes):
            raise OpError(
                "bad-padding",
                f"'{self.kind}' with indices needs equal padding on both sides, at most half the kernel",
                help="use `pad` before it, or leave the padding out",
            )

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        taps = prod(self.sliding(inputs[0]).kernel)
        return Cost(other={"compare": outputs[0].elements * (taps - 1)})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([sliding(*axis) for axis in self.sliding(inputs[0]).axes])


class AvgPool(Op):
    """Average pooling: the mean of each window.

    Attributes:
        kernel: f, the size of the window.
        stride: s; the kernel unless given.
        padding: zeros around the input; `same` makes the output ceil(n / s).
        ceil: round the number of positions up, so that a last partial window counts, if it starts inside the input.
        count_include_pad: whether padding zeros count in the mean.
    """

    kind: ClassVar[str] = "avg_pool"
    family: ClassVar[str] = "pool"
    shorthand: ClassVar[str | None] = "kernel"
    module: ClassVar[bool] = True

    kernel: PerAxis[Count]
    stride: PerAxis[Count] | None = None
    padding: Padding = 0
    ceil: Flag = False
    count_include_pad: Flag = True

    def canonical_attributes(self) -> dict[str, Any]:
        return without_usual_stride(super().canonical_attributes())

    def sliding(self, tensor: TensorType) -> Sliding:
        """Kernel, stride, dilation and padding per axis of this input."""
        stride = self.kernel if self.stride is None else self.stride
        return resolve(self.kind, tensor, self.kernel, stride, self.padding, 1)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        window = self.sliding(tensor)
        need_some_input(self.kind, tensor, window)
        return (tensor.with_sizes(tensor.channels, *slid(self.kind, tensor, window, ceil=self.ceil)),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        taps = prod(self.sliding(inputs[0]).kernel)
        return Cost(other={"add": outputs[0].elements * (taps - 1), "divide": outputs[0].elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return along([sliding(*axis) for axis in self.sliding(inputs[0]).axes])


class _GlobalPool(Op):
    """One value per channel, pooled over all spatial axes, which keep size 1."""

    family: ClassVar[str] = "pool"

    module: ClassVar[bool] = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        axes = need_spatial(self.kind, tensor)
        return (tensor.with_sizes(tensor.channels, *(1 for _ in range(axes))),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {}


class GlobalMaxPool(_GlobalPool):
    """The largest value of each channel over all positions; spatial axes keep size 1."""

    kind: ClassVar[str] = "global_max_pool"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"compare": inputs[0].elements - outputs[0].elements})


class GlobalAvgPool(_GlobalPool):
    """The mean of each channel over all positions; spatial axes keep size 1."""

    kind: ClassVar[str] = "global_avg_pool"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"add": inputs[0].elements - outputs[0].elements, "divide": outputs[0].elements})


class _AdaptivePool(Op):
    """Pooling to a given size: window i of m over n positions reads floor(i n / m) to ceil((i + 1) n / m) - 1."""

    family: ClassVar[str] = "pool"

    shorthand: ClassVar[str | None] = "size"
    module: ClassVar[bool] = True

    size: PerAxis[Count]

    def sizes(self, tensor: TensorType) -> tuple[int, ...]:
        """Output sizes per spatial axis."""
        return per_axis(self.kind, "size", self.size, need_spatial(self.kind, tensor))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        sizes = self.sizes(tensor)
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def reads(self, tensor: TensorType) -> int:
        """The total number of values read: the sum of all window sizes, over all channels."""
        axes = zip(tensor.spatial, self.sizes(tensor), strict=True)
        return tensor.channels * prod(adaptive_reads(*axis) for axis in axes)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        axes = zip(inputs[0].spatial, self.sizes(inputs[0]), strict=True)
        return along([adaptive(n, m) if m > 1 or n == 1 else None for n, m in axes])


class AdaptiveMaxPool(_AdaptivePool):
    """Max pooling to a given output size, for any input size.

    Window i of m over n positions reads positions floor(i n / m) to ceil((i + 1) n / m) - 1, as in PyTorch.

    Attributes:
        size: m, the output size.
    """

    kind: ClassVar[str] = "adaptive_max_pool"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"compare": self.reads(inputs[0]) - outputs[0].elements})


class AdaptiveAvgPool(_AdaptivePool):
    """Average pooling to a given output size, for any input size.

    Window i of m over n positions reads positions floor(i n / m) to ceil((i + 1) n / m) - 1, as in PyTorch.

    Attributes:
        size: m, the output size.
    """

    kind: ClassVar[str] = "adaptive_avg_pool"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        reads = self.reads(inputs[0])
        return Cost(other={"add": reads - outputs[0].elements, "divide": outputs[0].elements})
