"""Reductions over one or several axes, and sums along one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, cast

from archspec.ir.types import DType, TensorType
from archspec.ops.attribute_types import Axes, Flag, Whole
from archspec.ops.base import Cost, Footprint, Op, need_axes, need_axis, need_float
from archspec.ops.footprint import IDENTITY


class Reduction(Op):
    """A reduction over one or several axes."""

    family: ClassVar[str] = "reduce"

    shorthand: ClassVar[str | None] = "axis"
    between: ClassVar[Mapping[str, int]]
    """The operations between two elements that are reduced to one."""
    each: ClassVar[Mapping[str, int]]
    """The operations for each element before that."""
    final: ClassVar[Mapping[str, int]]
    """The operations for each result after that."""

    axis: Axes
    keepdim: Flag = False

    def normalized_axes(self, tensor: TensorType) -> tuple[int, ...]:
        """The axes that are reduced, counted from the front, in order."""
        return tuple(sorted(need_axes(self.kind, self.axis, tensor)))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        selected = self.normalized_axes(tensor)
        sizes = enumerate(tensor.sizes, start=1)
        if self.keepdim:
            return (tensor.with_sizes(*(1 if axis in selected else size for axis, size in sizes)),)
        return (tensor.with_sizes(*(size for axis, size in sizes if axis not in selected)),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        elements, results = inputs[0].elements, outputs[0].elements
        counted = ((self.between, elements - results), (self.each, elements), (self.final, results))
        return sum((Cost(other={name: n * times for name, n in named.items()}) for named, times in counted), Cost())

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = self.normalized_axes(inputs[0])
        remaining = [axis for axis in range(1, inputs[0].rank) if axis not in selected]
        if self.keepdim:
            return {axis: (axis, IDENTITY) for axis in remaining}
        return {new: (old, IDENTITY) for new, old in enumerate(remaining, start=1)}


_ATTRIBUTES = """
Attributes:
    axis: the axis, or a list of them; 1 is the channels, -1 the last.
    keepdim: whether reduced axes stay, with size 1."""

_NONE: Mapping[str, int] = MappingProxyType({})


def _reduction(
    kind: str,
    summary: str,
    between: Mapping[str, int],
    each: Mapping[str, int] = _NONE,
    final: Mapping[str, int] = _NONE,
) -> type[Reduction]:
    name = kind.title().replace("_", "")
    doc = f"{summary} over one or several axes.\n{_ATTRIBUTES}"
    content = {"kind": kind, "between": between, "each": each, "final": final}
    return cast(type[Reduction], type(name, (Reduction,), {"__doc__": doc, "__module__": __name__, **content}))


ReduceMean = _reduction("reduce_mean", "The mean", {"add": 1}, final={"divide": 1})
ReduceSum = _reduction("reduce_sum", "The sum", {"add": 1})
ReduceProd = _reduction("reduce_prod", "The product", {"multiply": 1})
ReduceMax = _reduction("reduce_max", "The maximum", {"compare": 1})
ReduceMin = _reduction("reduce_min", "The minimum", {"compare": 1})
ReduceL2 = _reduction(
    "reduce_l2", "The length, the square root of the sum of squares,", {"add": 1}, {"multiply": 1}, {"sqrt": 1}
)
ReduceVar = _reduction(
    "reduce_var",
    "The variance, the mean square of the distance to the mean,",
    {"add": 2},
    {"subtract": 1, "multiply": 1},
    {"divide": 2},
)
ReduceStd = _reduction(
    "reduce_std",
    "The standard deviation, the square root of the mean square of the distance to the mean,",
    {"add": 2},
    {"subtract": 1, "multiply": 1},
    {"divide": 2, "sqrt": 1},
)

REDUCTIONS: tuple[type[Reduction], ...] = (
    ReduceMean, ReduceSum, ReduceProd, ReduceMax, ReduceMin, ReduceL2, ReduceVar, ReduceStd,
)  # fmt: skip


class ArgMax(Op):
    """The place of the largest entry along an axis, counted from 0, as int64; the first of several.

    Attributes:
        axis: the axis; 1 is the channels, -1 the last.
        keepdim: whether the axis stays, with size 1.
    """

    kind: ClassVar[str] = "argmax"
    family: ClassVar[str] = "reduce"
    shorthand: ClassVar[str | None] = "axis"

    axis: Whole
    keepdim: Flag = False

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        selected = need_axis(self.kind, self.axis, tensor)
        sizes = (*tensor.sizes[: selected - 1], *([1] if self.keepdim else []), *tensor.sizes[selected:])
        return (TensorType(sizes, DType.INT64),)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        return Cost(other={"compare": inputs[0].elements - outputs[0].elements})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = need_axis(self.kind, self.axis, inputs[0])
        others = [axis for axis in range(1, inputs[0].rank) if axis != selected]
        return {axis if self.keepdim or axis < selected else axis - 1: (axis, IDENTITY) for axis in others}


class CumSum(Op):
    """The sums of the entries along an axis up to each of them.

    Attributes:
        axis: the axis; 1 is the channels, -1 the last.
    """

    kind: ClassVar[str] = "cumsum"
    family: ClassVar[str] = "reduce"
    shorthand: ClassVar[str | None] = "axis"

    axis: Whole

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (tensor,) = inputs
        need_float(self.kind, tensor)
        need_axis(self.kind, self.axis, tensor)
        return (tensor,)

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        tensor = inputs[0]
        size = tensor.sizes[need_axis(self.kind, self.axis, tensor) - 1]
        return Cost(other={"add": tensor.elements - tensor.elements // size})

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        selected = need_axis(self.kind, self.axis, inputs[0])
        return {axis: (axis, IDENTITY) for axis in range(1, inputs[0].rank) if axis != selected}
