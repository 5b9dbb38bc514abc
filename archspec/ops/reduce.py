"""Reductions over one or several axes."""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Axes, Flag
from archspec.ops.base import Cost, Footprint, Op, OpError, need_axis, need_float
from archspec.ops.footprint import IDENTITY


class _Reduce(Op):
    """A reduction over one or several axes."""

    family: ClassVar[str] = "reduce"

    shorthand: ClassVar[str | None] = "axis"
    operation: ClassVar[str]
    """The operation between two elements."""

    axis: Axes
    keepdim: Flag = False

    def normalized_axes(self, tensor: TensorType) -> tuple[int, ...]:
        """The axes that are reduced, counted from the front, in order."""
        written = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        selected = sorted(need_axis(self.kind, axis, tensor) for axis in written)
        if not selected or len(set(selected)) < len(selected):
            raise OpError(
                "wrong-axis",
                f"'{self.kind}' over {list(written)} must name distinct axes of {tensor}",
                help="name at least one axis, and none twice",
            )
        return tuple(selected)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        selected = self.normalized_axes(tensor)
        sizes = enumerate(tensor.sizes, start=1)
        if self.keepdim:
            return (tensor.with_sizes(*(1 if axis in selected else size for axis, size in sizes)),)
        return (tensor.with_sizes(*(size for axis, size in sizes if axis not in selected)),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={self.operation: inputs[0].elements - outputs[0].elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axes(inputs[0])
        remaining = [axis for axis in range(1, inputs[0].rank) if axis not in selected]
        if self.keepdim:
            return {axis: (axis, IDENTITY) for axis in remaining}
        return {new: (old, IDENTITY) for new, old in enumerate(remaining, start=1)}


class ReduceMean(_Reduce):
    """The mean over one or several axes.

    Attributes:
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
        keepdim: whether reduced axes stay, with size 1.
    """

    kind: ClassVar[str] = "reduce_mean"
    operation: ClassVar[str] = "add"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return super().cost(inputs, outputs) + Cost(other={"divide": outputs[0].elements})


class ReduceSum(_Reduce):
    """The sum over one or several axes.

    Attributes:
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
        keepdim: whether reduced axes stay, with size 1.
    """

    kind: ClassVar[str] = "reduce_sum"
    operation: ClassVar[str] = "add"


class ReduceMax(_Reduce):
    """The maximum over one or several axes.

    Attributes:
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
        keepdim: whether reduced axes stay, with size 1.
    """

    kind: ClassVar[str] = "reduce_max"
    operation: ClassVar[str] = "compare"
