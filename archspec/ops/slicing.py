"""Splits, slices, rolls and flips."""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Axes, Count, Whole
from archspec.ops.base import Footprint, Op, OpError, need_axes, need_axis, pointwise
from archspec.ops.footprint import sliding


class Split(Op):
    """Splits a value along one axis; the parts are `layer.0`, `layer.1` and so on.

    Attributes:
        parts: the number of equal parts.
        sizes: the size of each part, instead.
        axis: the axis to split; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "split"
    family: ClassVar[str] = "slicing"
    shorthand: ClassVar[str | None] = "parts"

    parts: Count | None = None
    sizes: tuple[Count, ...] | None = None
    axis: Whole = 1

    @property
    def ports(self) -> tuple[str, ...]:
        return tuple(map(str, range((self.parts or 0) if self.sizes is None else len(self.sizes))))

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def cuts(self, tensor: TensorType) -> tuple[int, ...]:
        """The size of each part.

        Raises:
            OpError: they do not make up the axis.
        """
        size = tensor.sizes[self.normalized_axis(tensor) - 1]
        if self.sizes is not None:
            cuts, reason = self.sizes, f"parts of {list(self.sizes)}"
        else:
            assert self.parts is not None
            cuts, reason = (size // self.parts,) * min(self.parts, size), f"{self.parts} equal parts"
        if not cuts or sum(cuts) != size:
            raise OpError(
                "wrong-size", f"'{self.kind}' cannot split an axis of size {size} into {reason}, in {tensor}",
                help="the parts must add up to the axis; use `slice` to take a part of it",
            )  # fmt: skip
        return cuts

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        if (self.parts is None) == (self.sizes is None):
            raise OpError(
                "wrong-attributes", f"'{self.kind}' takes either `parts` or `sizes`",
                help="leave one of them out",
            )  # fmt: skip
        selected = self.normalized_axis(tensor)
        return tuple(tensor.with_sizes(*_with(tensor.sizes, selected, size)) for size in self.cuts(tensor))

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axis(inputs[0])
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis != selected}


class Slice(Op):
    """A slice of one axis: every `step`-th entry from `start` to before `end`.

    Attributes:
        start: the first entry, counted from 0; a negative number counts from the end.
        end: the first entry after the slice; the end of the axis by default.
        step: the distance between entries.
        axis: the axis; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "slice"
    family: ClassVar[str] = "slicing"

    start: Whole = 0
    end: Whole | None = None
    step: Count = 1
    axis: Whole = 1

    def normalized_axis(self, tensor: TensorType) -> int:
        """The axis, counted from the front (the batch is 0)."""
        return need_axis(self.kind, self.axis, tensor)

    def entries(self, tensor: TensorType) -> range:
        """The entries taken, counted from 0.

        Raises:
            OpError: the axis has no such entries, or none is taken.
        """
        size = tensor.sizes[self.normalized_axis(tensor) - 1]
        end = size if self.end is None else self.end
        taken = range(*slice(self.start, end, self.step).indices(size))
        if not (taken and -size <= self.start < size and -size <= end <= size):
            raise OpError(
                "wrong-index",
                f"'{self.kind}' from {self.start} to {end} is empty or out of range for an axis of size {size}",
                help=f"entries count from 0 to {size - 1}, or from -{size} to -1 from the end",
            )
        return taken

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        return (tensor.with_sizes(*_with(tensor.sizes, self.normalized_axis(tensor), len(self.entries(tensor)))),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected, entries = self.normalized_axis(inputs[0]), self.entries(inputs[0])
        return {**pointwise(outputs[0]), selected: (selected, sliding(1, entries.step, 1, (-entries.start, 0)))}


def _with(sizes: Sequence[int], axis: int, size: int) -> tuple[int, ...]:
    """The sizes with `size` along `axis`, counted from the batch."""
    return (*sizes[: axis - 1], size, *sizes[axis:])


class Roll(Op):
    """Moves all entries along some axes; those that leave one end come in at the other.

    Attributes:
        shift: by how many entries, towards the end, or towards the start if negative; a list has one number per axis.
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "roll"
    family: ClassVar[str] = "slicing"
    shorthand: ClassVar[str | None] = "shift"

    shift: Axes
    axis: Axes = 1

    def shifts(self, tensor: TensorType) -> dict[int, int]:
        """The shift along each axis, counted from the front."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        shifts = self.shift if isinstance(self.shift, tuple) else (self.shift,) * len(axes)
        if len(shifts) != len(axes):
            message = f"'{self.kind}' has {len(shifts)} shifts for {len(axes)} {'axis' if len(axes) == 1 else 'axes'}"
            raise OpError("wrong-value", message, help="write one number for all axes, or one per axis")
        return dict(zip(need_axes(self.kind, axes, tensor), shifts, strict=True))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        self.shifts(tensor)
        return (tensor,)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        moved = {axis for axis, shift in self.shifts(inputs[0]).items() if shift % inputs[0].sizes[axis - 1]}
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis not in moved}


class Flip(Op):
    """Reverses the order of the entries along some axes.

    Attributes:
        axis: the axis, or a list of them; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "flip"
    family: ClassVar[str] = "slicing"
    shorthand: ClassVar[str | None] = "axis"

    axis: Axes

    def reversed_axes(self, tensor: TensorType) -> list[int]:
        """The axes, counted from the front."""
        return need_axes(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        self.reversed_axes(tensor)
        return (tensor,)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        reversed_axes = self.reversed_axes(inputs[0])
        return {axis: seen for axis, seen in pointwise(outputs[0]).items() if axis not in reversed_axes}
