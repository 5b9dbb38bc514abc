"""Ops that merge several values into one."""

from collections.abc import Sequence
from typing import ClassVar, Self

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Whole
from archspec.ops.base import Cost, Footprint, Op, OpError, need_axis, need_float, pointwise
from archspec.ops.footprint import IDENTITY
from archspec.ops.spatial import smallest


class Join(Op):
    """Merges one or more values into one."""

    family: ClassVar[str] = "merge"

    shorthand: ClassVar[str | None] = "from"
    inputs: ClassVar[int | None] = None

    crops: ClassVar[bool] = False
    """Whether values are first cropped to the smallest size along each spatial axis: `align: center_crop`."""

    def cropping(self) -> Self:
        """The same join with `crops`."""
        return self._copied(crops=True)

    def cropped(self, inputs: Sequence[TensorType]) -> Sequence[TensorType]:
        """The types of the values that are joined, which are those of the inputs unless it crops."""
        if not self.crops or len({tensor.rank for tensor in inputs}) > 1 or not inputs[0].spatial:
            return inputs
        sizes = smallest(inputs)
        return [tensor.with_sizes(tensor.channels, *sizes) for tensor in inputs]


class Elementwise(Join):
    """Combines values of equal shape element by element."""

    operation: ClassVar[str]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        inputs = self.cropped(inputs)
        for tensor in inputs:
            need_float(self.kind, tensor)
        if any(tensor != inputs[0] for tensor in inputs):
            raise OpError("shape-mismatch", f"'{self.kind}' joins unequal shapes")
        return (inputs[0],)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={self.operation: (len(inputs) - 1) * outputs[0].elements})


class Add(Elementwise):
    """The sum of values of equal shape."""

    kind: ClassVar[str] = "add"
    operation: ClassVar[str] = "add"


class Max(Elementwise):
    """The element-wise maximum of values of equal shape."""

    kind: ClassVar[str] = "max"
    operation: ClassVar[str] = "compare"


class Mean(Elementwise):
    """The mean of values of equal shape."""

    kind: ClassVar[str] = "mean"
    operation: ClassVar[str] = "add"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(other={"add": (len(inputs) - 1) * elements, "divide": elements})


class Mul(Join):
    """The element-wise product of values of equal rank; axes of size 1 broadcast.

    A gate (N, channels, 1, 1) scales the channels of (N, channels, height, width).
    """

    kind: ClassVar[str] = "mul"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        inputs = self.cropped(inputs)
        for tensor in inputs:
            need_float(self.kind, tensor)
        if len({tensor.rank for tensor in inputs}) > 1:
            raise OpError("shape-mismatch", f"'{self.kind}' joins shapes of different rank")
        sizes: list[int] = []
        for axis in zip(*(tensor.sizes for tensor in inputs), strict=True):
            size = max(axis)
            if any(other not in (1, size) for other in axis):
                raise OpError("shape-mismatch", f"'{self.kind}' joins unequal shapes")
            sizes.append(size)
        return (inputs[0].with_sizes(*sizes),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"multiply": (len(inputs) - 1) * outputs[0].elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        pairs = zip(inputs[index].sizes, outputs[0].sizes, strict=True)
        return {axis: (axis, IDENTITY) for axis, (size, out) in enumerate(pairs, start=1) if size == out}


class Concat(Join):
    """Concatenation along one axis; all other axes must be equal.

    Attributes:
        axis: the axis to concatenate; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "concat"

    axis: Whole = 1

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        inputs = self.cropped(inputs)
        first = inputs[0]
        selected = need_axis(self.kind, self.axis, first) - 1
        if any(tensor.dtype != first.dtype for tensor in inputs):
            dtypes = " and ".join(dict.fromkeys(tensor.dtype for tensor in inputs))
            raise OpError("wrong-dtype", f"'{self.kind}' cannot concatenate {dtypes}")
        others = {(t.sizes[:selected], t.sizes[selected + 1 :]) for t in inputs if t.rank == first.rank}
        if len(others) > 1 or any(tensor.rank != first.rank for tensor in inputs):
            what = "the channels" if selected == 0 else f"axis {selected + 1}"
            raise OpError("shape-mismatch", f"'{self.kind}' joins shapes that differ in more than {what}")
        total = sum(tensor.sizes[selected] for tensor in inputs)
        return (first.with_sizes(*first.sizes[:selected], total, *first.sizes[selected + 1 :]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = need_axis(self.kind, self.axis, inputs[0])
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis != selected}
