"""Ops that change the shape: flatten, reshape, permute, select."""

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Count, Natural, Whole
from archspec.ops.base import (
    Footprint,
    Op,
    OpError,
    need_axis,
    pointwise,
)
from archspec.ops.footprint import IDENTITY


class Identity(Op):
    """Returns its input."""

    kind: ClassVar[str] = "identity"
    family: ClassVar[str] = "reshape"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True


class Flatten(Op):
    """Merges the axes from `start` to `end` into one.

    Attributes:
        start: the first axis to merge; 1 is the channels.
        end: the last axis to merge; -1 is the last.
    """

    kind: ClassVar[str] = "flatten"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "start"
    module: ClassVar[bool] = True

    start: Whole = 1
    end: Whole = -1

    def run(self, tensor: TensorType) -> tuple[int, int]:
        """The first and the last axis to merge, counted from the front."""
        start, end = need_axis(self.kind, self.start, tensor), need_axis(self.kind, self.end, tensor)
        if start > end:
            raise OpError("wrong-axis", f"'{self.kind}' starts at axis {start}, after its end {end}, of {tensor}")
        return start, end

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if not tensor.sizes:
            return (tensor.with_sizes(1),)
        start, end = self.run(tensor)
        sizes = tensor.sizes
        return (tensor.with_sizes(*sizes[: start - 1], prod(sizes[start - 1 : end]), *sizes[end:]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        if not inputs[0].sizes:
            return {}
        start, end = self.run(inputs[0])
        after = {axis - (end - start): (axis, IDENTITY) for axis in range(end + 1, inputs[0].rank)}
        return {**{axis: (axis, IDENTITY) for axis in range(1, start)}, **after}


class Reshape(Op):
    """The same elements in the same order, with other sizes.

    Attributes:
        sizes: the new sizes after the batch axis; one of them may be -1, for the rest.
    """

    kind: ClassVar[str] = "reshape"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "sizes"

    sizes: tuple[Whole, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if any(size < 1 and size != -1 for size in self.sizes) or self.sizes.count(-1) > 1:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' to {list(self.sizes)}: sizes are at least 1, and one of them may be -1",
                help="sizes are without the batch axis" if self.sizes[0] in (0, -1) else None,
            )
        known = prod(size for size in self.sizes if size != -1)
        fits = tensor.elements % known == 0 if -1 in self.sizes else tensor.elements == known
        if not fits:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' cannot reshape {tensor} to {format_shape(('N', *self.sizes))}",  # type: ignore[arg-type]
                help=self._help(tensor.elements, known),
            )
        return (tensor.with_sizes(*(tensor.elements // known if size == -1 else size for size in self.sizes)),)

    def _help(self, elements: int, known: int) -> str:
        """The help for sizes that do not fit; the first of them may be meant for the batch."""
        if -1 not in self.sizes and prod(self.sizes[1:]) == elements:
            return f"sizes are without the batch axis: write {list(self.sizes[1:])}"
        needed = f"a multiple of {known:,}" if -1 in self.sizes else f"{known:,}"
        return f"a sample has {elements:,} elements, the new sizes need {needed}"

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        before, after = inputs[0].sizes, outputs[0].sizes
        same = 0
        while same < min(len(before), len(after)) and before[same] == after[same]:
            same += 1
        return {axis: (axis, IDENTITY) for axis in range(1, same + 1)}


class Permute(Op):
    """Reorders the axes; the batch axis stays first.

    Attributes:
        order: the axes in their new order, without the batch: [2, 3, 1] puts the channels last.
    """

    kind: ClassVar[str] = "permute"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "order"

    order: tuple[Count, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if sorted(self.order) != list(range(1, tensor.rank)):
            raise OpError(
                "wrong-axis",
                f"'{self.kind}' to {list(self.order)} must name each axis of {tensor} once",
                help=f"order the axes {', '.join(map(str, range(1, tensor.rank)))}; the batch, axis 0, stays first",
            )
        return (tensor.with_sizes(*(tensor.sizes[axis - 1] for axis in self.order)),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {new: (old, IDENTITY) for new, old in enumerate(self.order, start=1)}


class Select(Op):
    """Entries of one axis by their indices, in the given order.

    Attributes:
        indices: the entries to keep, counted from 0.
        axis: the axis; 1 is the channels.
    """

    kind: ClassVar[str] = "select"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "indices"

    indices: tuple[Natural, ...]
    axis: Whole = 1

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        selected = self.normalized_axis(tensor)
        size = tensor.sizes[selected - 1]
        if not self.indices or max(self.indices) >= size:
            raise OpError(
                "wrong-index",
                f"'{self.kind}' takes {list(self.indices)} of an axis of size {size}, in {tensor}",
                help=f"list at least one index; they count from 0 to {size - 1}",
            )
        return (tensor.with_sizes(*tensor.sizes[: selected - 1], len(self.indices), *tensor.sizes[selected:]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axis(inputs[0])
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis != selected}
