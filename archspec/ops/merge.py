"""Ops that merge several values into one."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from archspec.ir.types import DType, TensorType
from archspec.ops.attribute_types import Number, Whole
from archspec.ops.base import Cost, Footprint, Op, OpError, need_axis, need_float, need_new_axis, pointwise
from archspec.ops.footprint import IDENTITY
from archspec.ops.reshape import beside
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

    def returns_its_input(self, count: int) -> bool:
        """Whether it returns its only input unchanged, if it gets `count` inputs."""
        return count == 1

    def cropped(self, inputs: Sequence[TensorType]) -> Sequence[TensorType]:
        """The types of the values that are joined, which are those of the inputs unless it crops."""
        if not self.crops or len({tensor.rank for tensor in inputs}) > 1 or not inputs[0].spatial:
            return inputs
        sizes = smallest(inputs)
        return [tensor.with_sizes(tensor.channels, *sizes) for tensor in inputs]


class Broadcast(Join):
    """Combines values element by element, which gives float32.

    They have equal rank. Along each axis, those of size 1 are repeated for the others, whose sizes are equal.
    """

    operation: ClassVar[str]
    """The operation between two elements."""

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        inputs = self.cropped(inputs)
        self.check(inputs)
        if len({tensor.rank for tensor in inputs}) > 1:
            raise OpError("shape-mismatch", f"'{self.kind}' joins shapes of different rank")
        sizes: list[int] = []
        for axis in zip(*(tensor.sizes for tensor in inputs), strict=True):
            size = max(axis)
            if any(other not in (1, size) for other in axis):
                raise OpError("shape-mismatch", f"'{self.kind}' joins unequal shapes")
            sizes.append(size)
        return (TensorType(tuple(sizes)),)

    def check(self, inputs: Sequence[TensorType]) -> None:
        """Check the element types of the values.

        Raises:
            OpError: it does not take them.
        """
        for tensor in inputs:
            need_float(self.kind, tensor)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={self.operation: (len(inputs) - 1) * outputs[0].elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        pairs = zip(inputs[index].sizes, outputs[0].sizes, strict=True)
        return {axis: (axis, IDENTITY) for axis, (size, out) in enumerate(pairs, start=1) if size == out}


class Mean(Broadcast):
    """The mean of values; axes of size 1 are repeated."""

    kind: ClassVar[str] = "mean"
    operation: ClassVar[str] = "add"

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements = outputs[0].elements
        return Cost(other={"add": (len(inputs) - 1) * elements, "divide": elements})


class _WithNumber(Broadcast):
    """Combines values; a number may take the place of the last one."""

    values: ClassVar[int | None] = None
    """How many values it takes without a number; None for one or more, or one and a number."""
    with_number: ClassVar[str]
    """The operation between an element and a number."""

    number: Number | None = None

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        wanted = self.values if self.number is None else (self.values or 2) - 1
        if wanted is not None and len(inputs) != wanted:
            values = f"{wanted} value{'s' if wanted > 1 else ''} with{'out' if self.number is None else ''} a number"
            *names, last = ("condition", "one", "other")[-(self.values or 2) :]
            help = f"write - {self.kind}: [{', '.join(names)}, {last}], or a number instead of '{last}': number: 2"
            raise OpError("wrong-arity", f"'{self.kind}' takes {values}, but gets {len(inputs)}", help=help)
        return super().infer(inputs)

    def returns_its_input(self, count: int) -> bool:
        return self.number is None and super().returns_its_input(count)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        if self.number is None:
            return super().cost(inputs, outputs)
        return Cost(other={self.with_number: outputs[0].elements})


class Arithmetic(_WithNumber):
    """An arithmetic operation on values, or on a value and a number."""


class Comparison(_WithNumber):
    """A comparison of two values, or of a value and a number: 1 where it holds, 0 elsewhere."""

    values: ClassVar[int | None] = 2
    operation: ClassVar[str] = "compare"
    with_number: ClassVar[str] = "compare"

    def check(self, inputs: Sequence[TensorType]) -> None:
        dtypes = {tensor.dtype for tensor in inputs}
        if len(dtypes) > 1:
            raise OpError("wrong-dtype", f"'{self.kind}' cannot compare {' and '.join(sorted(dtypes))}")
        if self.number is not None and dtypes == {DType.INT64} and self.number % 1:
            raise OpError("wrong-dtype", f"'{self.kind}' compares int64 with whole numbers, not {self.number}")


_NUMBER = "number: a number in the place of the last value; then there is one value"


def _row(base: type[_WithNumber], kind: str, summary: str, **content: object) -> Any:
    """The op of a row of the tables below."""
    name = kind.title().replace("_", "")
    doc = f"{summary}; axes of size 1 are repeated.\n\nAttributes:\n    {_NUMBER}."
    return type(name, (base,), {"__doc__": doc, "__module__": __name__, "kind": kind, **content})


def _arithmetic(
    kind: str, summary: str, operation: str, *, with_number: str | None = None, values: int | None = None
) -> type[Arithmetic]:
    operations = {"operation": operation, "with_number": with_number or operation}
    return cast(type[Arithmetic], _row(Arithmetic, kind, summary, **operations, values=values))


def _comparison(kind: str, summary: str) -> type[Comparison]:
    return cast(type[Comparison], _row(Comparison, kind, f"1 where {summary}, 0 elsewhere"))


Add = _arithmetic("add", "The sum of values", "add")
Sub = _arithmetic("sub", "The first value minus the second", "subtract", with_number="add", values=2)
Mul = _arithmetic("mul", "The product of values", "multiply")
Div = _arithmetic("div", "The first value divided by the second", "divide", values=2)
Pow = _arithmetic("pow", "The first value to the power of the second", "power", values=2)
Min = _arithmetic("min", "The smallest of values, element by element", "compare")
Max = _arithmetic("max", "The largest of values, element by element", "compare")

Equal = _comparison("equal", "the two values are equal")
NotEqual = _comparison("not_equal", "the two values differ")
Greater = _comparison("greater", "the first value is greater than the second")
GreaterEqual = _comparison("greater_equal", "the first value is at least the second")
Less = _comparison("less", "the first value is less than the second")
LessEqual = _comparison("less_equal", "the first value is at most the second")

COMPARISONS: tuple[type[Comparison], ...] = (Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual)


class Where(_WithNumber):
    """The second value where the first, a condition, is not 0, and the third elsewhere; axes of size 1 are repeated.

    Comparisons make such conditions.

    Attributes:
        number: a number in the place of the last value; then there are two values.
    """

    kind: ClassVar[str] = "where"
    values: ClassVar[int | None] = 3

    def check(self, inputs: Sequence[TensorType]) -> None:
        super().check(inputs[1:])

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"compare": outputs[0].elements})


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


class Stack(Op):
    """Puts values of one shape side by side along a new axis.

    Attributes:
        axis: where the new axis is afterwards: 1 puts it before the channels, -1 at the end.
    """

    kind: ClassVar[str] = "stack"
    family: ClassVar[str] = "merge"
    shorthand: ClassVar[str | None] = "from"
    inputs: ClassVar[int | None] = None

    axis: Whole = 1

    def added(self, tensor: TensorType) -> int:
        """The axis of the output that is new, counted from the front."""
        return need_new_axis(self.kind, self.axis, tensor)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        first = inputs[0]
        added = self.added(first)
        if any(tensor.dtype != first.dtype for tensor in inputs):
            dtypes = " and ".join(dict.fromkeys(tensor.dtype for tensor in inputs))
            raise OpError("wrong-dtype", f"'{self.kind}' cannot stack {dtypes}")
        if any(tensor.rank != first.rank for tensor in inputs) or any(tensor.sizes != first.sizes for tensor in inputs):
            raise OpError("shape-mismatch", f"'{self.kind}' joins unequal shapes")
        return (first.with_sizes(*first.sizes[: added - 1], len(inputs), *first.sizes[added - 1 :]),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        return beside(self.added(inputs[0]), inputs[0])
