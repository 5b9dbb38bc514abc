"""Max unpooling: each value at the position where max pooling found it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from archspec.ir.types import DType, TensorType, format_shape
from archspec.ops.attribute_types import Count, Natural, PerAxis
from archspec.ops.base import NOT_READ, Footprint, Op, OpError, along, need_float, need_spatial
from archspec.ops.footprint import transposed
from archspec.ops.sliding import Sliding, resolve, without_usual_stride


class MaxUnpool(Op):
    """Each value at the position where max pooling found it, zeros elsewhere: the decoder of SegNet.

    It takes the values and the indices of the pooling, `from: [prev, pool1.indices]`. The output is as large as what
    the pooling read. For indices from elsewhere a third value may give the size, and without it the output is
    (n - 1) s - 2p + f; roundings of the pooling leave a choice of less than s to either side.

    Attributes:
        kernel: f, the kernel of the pooling.
        stride: s, the stride of the pooling; the kernel unless given.
        padding: p, the padding of the pooling.
    """

    kind: ClassVar[str] = "max_unpool"
    family: ClassVar[str] = "unpool"
    shorthand: ClassVar[str | None] = "kernel"
    inputs: ClassVar[int | None] = None
    module: ClassVar[bool] = True

    kernel: PerAxis[Count]
    stride: PerAxis[Count] | None = None
    padding: PerAxis[Natural] = 0

    def canonical_attributes(self) -> dict[str, Any]:
        return without_usual_stride(super().canonical_attributes())

    def sliding(self, tensor: TensorType) -> Sliding:
        """Kernel, stride and padding per axis of this input."""
        return resolve(self.kind, tensor, self.kernel, self.stride or self.kernel, self.padding, 1)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        if len(inputs) not in (2, 3):
            raise OpError(
                "wrong-arity",
                f"'{self.kind}' takes values and their indices, got {len(inputs)} inputs",
                help="write `from: [prev, pool.indices]`, where the pooling has `indices: true`",
            )
        tensor, indices, *like = inputs
        need_float(self.kind, tensor)
        need_spatial(self.kind, tensor)
        if indices.dtype is not DType.INT64:
            raise OpError(
                "wrong-dtype",
                f"'{self.kind}' takes indices as its second input, got {indices.dtype}",
                help="write `indices: true` at the pooling and read `pool.indices`",
            )
        if indices.sizes != tensor.sizes:
            raise OpError(
                "shape-mismatch", f"'{self.kind}' needs one index per value: values are {tensor}, indices are {indices}"
            )
        sizes = tuple((n - 1) * s - 2 * p[0] + f for n, (f, s, _, p) in self._axes(tensor))
        if like:
            sizes = self._sizes_of(like[0], tensor, sizes)
        if min(sizes) < 1:
            raise OpError("wrong-size", f"'{self.kind}' cannot unpool {tensor} to {format_shape(sizes)}")
        return (tensor.with_sizes(tensor.channels, *sizes),)

    def _axes(self, tensor: TensorType) -> list[tuple[int, tuple[int, int, int, tuple[int, int]]]]:
        """The size and the window per axis."""
        return list(zip(tensor.spatial, self.sliding(tensor).axes, strict=True))

    def _sizes_of(self, like: TensorType, tensor: TensorType, usual: Sequence[int]) -> tuple[int, ...]:
        """The sizes of the third input, which must pool to the sizes of the first."""
        strides = self.sliding(tensor).stride
        fits = len(like.spatial) == len(usual) and all(
            abs(size - other) < stride for size, other, stride in zip(like.spatial, usual, strides, strict=True)
        )
        if not fits:
            raise OpError(
                "shape-mismatch",
                f"'{self.kind}' cannot unpool {format_shape(tensor.spatial)} to {format_shape(like.spatial)}",
                help=f"the natural size is {format_shape(usual)}; each axis may differ by less than the stride",
            )
        return like.spatial

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        if index == 2:
            return NOT_READ
        return along([transposed(*axis) for axis in self.sliding(inputs[0]).axes])
