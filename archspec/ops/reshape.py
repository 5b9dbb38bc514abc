"""Ops that change the shape: flatten, reshape, squeeze, unsqueeze, permute, select, expand, tile."""

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import Axes, Count, Natural, Whole
from archspec.ops.base import (
    Footprint,
    Op,
    OpError,
    need_axes,
    need_axis,
    need_new_axis,
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


class Squeeze(Op):
    """Removes axes of size 1.

    Attributes:
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "squeeze"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "axis"

    axis: Axes

    def removed(self, tensor: TensorType) -> list[int]:
        """The axes that it removes, in order, counted from the front."""
        return sorted(need_axes(self.kind, self.axis, tensor))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        removed = self.removed(tensor)
        for axis in removed:
            if tensor.sizes[axis - 1] != 1:
                raise OpError(
                    "wrong-size",
                    f"'{self.kind}' removes axes of size 1, and axis {axis} of {tensor} has {tensor.sizes[axis - 1]}",
                    help="`flatten` and `reshape` merge axes; a reduction, such as `reduce_mean`, makes one of many",
                )
        return (tensor.with_sizes(*(size for axis, size in enumerate(tensor.sizes, 1) if axis not in removed)),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        removed = self.removed(inputs[0])
        kept = [axis for axis in range(1, inputs[0].rank) if axis not in removed]
        return {new: (old, IDENTITY) for new, old in enumerate(kept, start=1)}


class Unsqueeze(Op):
    """Adds an axis of size 1.

    Attributes:
        axis: where it is afterwards: 1 puts it before the channels, -1 at the end.
    """

    kind: ClassVar[str] = "unsqueeze"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "axis"

    axis: Whole

    def added(self, tensor: TensorType) -> int:
        """The axis of the output that is new, counted from the front."""
        return need_new_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        added = self.added(tensor)
        return (tensor.with_sizes(*tensor.sizes[: added - 1], 1, *tensor.sizes[added - 1 :]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return beside(self.added(inputs[0]), inputs[0])


def beside(added: int, tensor: TensorType) -> Footprint:
    """The footprint of an op that adds an axis to a tensor and keeps the others."""
    return {axis + (axis >= added): (axis, IDENTITY) for axis in range(1, tensor.rank)}


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


class Expand(Op):
    """Repeats axes of size 1: each gets a new size, and its one entry stands for all of them.

    Attributes:
        sizes: the sizes after the batch axis, one per axis; -1 keeps that of the input.
    """

    kind: ClassVar[str] = "expand"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "sizes"

    sizes: tuple[Whole, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        _need_each_axis(self.kind, "sizes", self.sizes, tensor)
        for axis, (size, wanted) in enumerate(zip(tensor.sizes, self.sizes, strict=True), start=1):
            if wanted < 1 and wanted != -1:
                raise OpError(
                    "wrong-size", f"'{self.kind}' to {list(self.sizes)}: a size is at least 1, or -1 to keep it"
                )
            if wanted not in (-1, size) and size != 1:
                raise OpError(
                    "wrong-size",
                    f"'{self.kind}' repeats axes of size 1, and axis {axis} of {tensor} has {size}, not {wanted}",
                    help="write -1 for an axis that stays; `tile` repeats axes of any size",
                )
        sizes = (size if wanted == -1 else wanted for size, wanted in zip(tensor.sizes, self.sizes, strict=True))
        return (tensor.with_sizes(*sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        sizes = zip(inputs[0].sizes, outputs[0].sizes, strict=True)
        return {axis: (axis, IDENTITY) for axis, (size, wanted) in enumerate(sizes, start=1) if size == wanted}


class Tile(Op):
    """Copies of the input, side by side along each axis.

    Attributes:
        times: how many copies, one number per axis after the batch.
    """

    kind: ClassVar[str] = "tile"
    family: ClassVar[str] = "reshape"
    shorthand: ClassVar[str | None] = "times"

    times: tuple[Count, ...]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        _need_each_axis(self.kind, "times", self.times, tensor)
        return (tensor.with_sizes(*(size * times for size, times in zip(tensor.sizes, self.times, strict=True))),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return {axis: (axis, IDENTITY) for axis, times in enumerate(self.times, start=1) if times == 1}


def _need_each_axis(op: str, attribute: str, numbers: Sequence[int], tensor: TensorType) -> None:
    """Check that an attribute has one number per axis of a tensor.

    Raises:
        OpError: it has more or fewer.
    """
    if len(numbers) != len(tensor.sizes):
        raise OpError(
            "wrong-rank",
            f"'{attribute}' of '{op}' lists {len(numbers)} for the {len(tensor.sizes)} axes of {tensor}",
            help="list one per axis, without the batch; `unsqueeze` adds an axis",
        )
