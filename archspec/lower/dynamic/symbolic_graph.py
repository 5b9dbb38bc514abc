"""A network with formulas for sizes: what each of its layers computes at any size of the inputs.

A layer that works at one size only is an error: one whose weights depend on the size, or that accepts no other size
than the network's own, or a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import DType, TensorType, format_shape
from archspec.lower.dynamic.symbolic_size import (
    Axis,
    Comparisons,
    Size,
    SizeNeeded,
    grows,
    holds_at_many_sizes,
    same_pads,
    same_size,
    smallest,
)
from archspec.ops import Op
from archspec.ops.attention import MatMul, MultiHeadAttention
from archspec.ops.base import per_axis
from archspec.ops.conv import Conv
from archspec.ops.geometry import Pads, extent
from archspec.ops.merge import Broadcast, Concat, Join
from archspec.ops.pool import AvgPool, MaxPool
from archspec.ops.slicing import Slice
from archspec.ops.sliding import need_rows, resolve
from archspec.ops.spatial import AlignCrop, Upsample, UpsampleLike, is_exact, need_columns
from archspec.ops.unpool import MaxUnpool

Sizes = tuple[int, ...]
"""Sizes after the batch axis. A `Size` among them stands for an `int`."""


def dynamic_axes(value: Value) -> range:
    """The axes of an input of a network that can be dynamic: those after the channels, unless it holds integers."""
    return range(2, value.type.rank) if value.type.dtype is DType.FLOAT32 else range(0)


@dataclass(frozen=True, slots=True)
class SymbolicGraph:
    """The inference part of a network with a `Size` for each size that depends on the sizes of the inputs.

    Attributes:
        graph: the network.
        requirements: formulas that are at least 0 at the sizes that its layers accept.
    """

    graph: Graph
    requirements: frozenset[Size]


def symbolic(graph: Graph) -> SymbolicGraph:
    """A network with formulas for its sizes.

    An input that can have one size only, such as boxes of four numbers, keeps it if other inputs are dynamic.

    Raises:
        ArchspecError: a layer works at one size only; the message names it.
    """
    fixed: set[str] = set()
    while True:
        tracer = _Tracer(graph, fixed)
        try:
            return SymbolicGraph(tracer.graph(), frozenset(filter(grows, tracer.comparisons.requirements)))
        except _FixedSize as error:
            inputs = {value.name for value in graph.inputs if dynamic_axes(value)} - fixed
            if error.input is None or inputs == {error.input}:
                raise fixed_size(graph, error.node, error.reason) from error
            fixed.add(error.input)


def fixed_size(graph: Graph, node: Node, reason: str) -> ArchspecError:
    """The error for a layer that works at one size only."""
    message = f"'{graph.name}' cannot have dynamic sizes: '{node.name}' works at one size only"
    help = "a network for any size ends in convolutions, or has a global pooling before its linear layers"
    return fail("unsupported", message, node.span, notes=[(f"'{node.op.kind}':", reason)], help=help)


class _FixedSize(Exception):
    """A layer works at one size only; `input` is the only input of the network that this depends on."""

    def __init__(self, node: Node, reason: str, input: str | None = None) -> None:
        super().__init__(reason)
        self.node, self.reason, self.input = node, reason, input


class _Tracer:
    """Infers the types of a graph's values with formulas in them."""

    def __init__(self, graph: Graph, fixed: set[str]) -> None:
        self.source = graph
        self.comparisons = Comparisons(assumed=True)
        self.values = {value: self.input(value, fixed) for value in graph.inputs}

    def input(self, value: Value, fixed: set[str]) -> Value:
        sizes = list(value.type.sizes)
        for axis in () if value.name in fixed else dynamic_axes(value):
            formula = Size({(Axis(value.name, axis, sizes[axis - 1]),): 1}, self.comparisons)
            sizes[axis - 1] = cast(int, formula)
        return Value(value.name, value.type.with_sizes(*sizes))

    def graph(self) -> Graph:
        """The graph with these types.

        Raises:
            _FixedSize: a layer works at one size only.
        """
        nodes = tuple(map(self.node, self.source.inference_nodes))
        self.comparisons.assumed = False
        inputs = tuple(self.values[value] for value in self.source.inputs)
        outputs = tuple(
            Output(output.name, self.values[output.value]) for output in self.source.outputs if not output.training_only
        )
        body = Scope("network", "", nodes, inputs, tuple(output.value for output in outputs))
        return Graph(self.source.name, inputs, body, outputs)

    def node(self, node: Node) -> Node:
        """A node that reads and defines values with formulas."""
        inputs = tuple(self.values[value] for value in node.inputs)
        types = tuple(value.type for value in inputs)
        if isinstance(node.op, AlignCrop) or any(isinstance(size, Size) for type in types for size in type.sizes):
            output_types = self.types(node, types)
        else:
            output_types = node.output_types
        outputs = tuple(map(Value, (value.name for value in node.outputs), output_types))
        self.values.update(zip(node.outputs, outputs, strict=True))
        return replace(node, inputs=inputs, outputs=outputs)

    def types(self, node: Node, types: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
        """The types of a node's outputs."""
        assert isinstance(node.op, Op)
        self.comparisons.equations.clear()
        try:
            outputs = infer(node.op, types)
        except SizeNeeded as error:
            reason = str(error) or "the shape of its output is not a formula of the input's"
            raise _FixedSize(node, reason) from None
        for left, right in self.comparisons.equations:
            if not holds_at_many_sizes(left, right):
                raise _FixedSize(node, f"one of its sizes must be {right}", _only_input(left - right))
        if node.weights:
            self.check_weights(node, types)
        return outputs

    def check_weights(self, node: Node, types: tuple[TensorType, ...]) -> None:
        """Check that the shapes of a node's weights are the same at all sizes."""
        assert isinstance(node.op, Op)
        shapes = " and ".join(f"{weight.name} {format_shape(weight.shape)}" for weight in node.weights)
        reason = f"its weights are made for one size: {shapes}"
        try:
            weights = node.op.weights(types)
        except SizeNeeded:
            raise _FixedSize(node, reason) from None
        if any(isinstance(size, Size) for weight in weights for size in weight.shape):
            raise _FixedSize(node, reason)


def _only_input(formula: Size) -> str | None:
    """The one input that a formula depends on; None if there are several."""
    names = {axis.value for axis in formula.axes}
    return names.pop() if len(names) == 1 else None


def infer(op: Op, inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    """The types of an op's outputs.

    It is `op.infer` unless that decides something by a comparison of sizes, besides what it accepts.

    Raises:
        SizeNeeded: they are no formulas of the types of the inputs.
    """
    if isinstance(op, Join) and op.crops:
        inputs = _cropped(inputs)
    tensor = inputs[0]
    match op:
        case AlignCrop():  # at other sizes the join crops
            return inputs
        case Conv():
            need_rows(op.kind, op.padding_mode, tensor.spatial, _conv_pads(op, tensor))
            return (tensor.with_sizes(op.channels, *_positions(op, tensor)),)
        case MaxPool() | AvgPool():
            pooled = tensor.with_sizes(tensor.channels, *_positions(op, tensor))
            return (pooled, TensorType(pooled.sizes, DType.INT64))[: len(op.ports)]
        case Upsample() if op.scale is not None and not all(map(is_exact, op.scales(len(tensor.spatial)))):
            raise SizeNeeded(
                "PyTorch rounds the product of a size and `scale`, unless that is a fraction of a power of 2"
            )
        case UpsampleLike():
            if op.antialias:
                need_columns(op.kind, tensor, inputs[1].spatial)
            return (tensor.with_sizes(tensor.channels, *inputs[1].spatial),)
        case MaxUnpool() if len(inputs) == 3:
            return (tensor.with_sizes(tensor.channels, *inputs[2].spatial),)
        case MaxUnpool():
            return (tensor.with_sizes(tensor.channels, *_unpooled(op, tensor)),)
        case MatMul():
            return (_product(*inputs),)
        case MultiHeadAttention() if op.mask:
            return op.with_attributes(mask=False).infer(_unmasked(op, inputs))
        case Slice():
            axis = op.normalized_axis(tensor) - 1
            return (tensor.with_sizes(*tensor.sizes[:axis], _taken(op, tensor.sizes[axis]), *tensor.sizes[axis + 1 :]),)
        case Broadcast():
            return (TensorType(tuple(map(_broadcast, zip(*(type.sizes for type in inputs), strict=True)))),)
        case Concat():
            return (_concatenated(op, inputs),)
    return op.infer(inputs)


def _cropped(inputs: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    """The types of the values that a join with `align: center_crop` joins."""
    if not inputs[0].spatial:
        return inputs
    sizes = [smallest(axis) for axis in zip(*(tensor.spatial for tensor in inputs), strict=True)]
    return tuple(tensor.with_sizes(tensor.channels, *sizes) for tensor in inputs)


def _positions(op: Conv | MaxPool | AvgPool, tensor: TensorType) -> Sizes:
    """The positions of a window along each axis: the formula of `slide`, without a choice."""
    if op.padding == "same":
        strides = per_axis(op.kind, "stride", op.kernel if op.stride is None else op.stride, len(tensor.spatial))
        return tuple((n + s - 1) // s for n, s in zip(tensor.spatial, strides, strict=True))
    axes = zip(tensor.spatial, op.sliding(tensor).axes, strict=True)
    ceil = not isinstance(op, Conv) and op.ceil
    sizes: list[int] = []
    for n, (f, s, d, (before, after)) in axes:
        room = n + before + after + (partial_rows(f, s, d, after) if ceil else 0) - extent(f, d)
        if room < 0 or (not isinstance(op, Conv) and before + after > 0 and d > 1 and d > n):
            raise SizeNeeded  # `slid` and `need_some_input` reject it
        sizes.append(room // s + 1)
    return tuple(sizes)


def _conv_pads(op: Conv, tensor: TensorType) -> Sequence[Pads]:
    """The padding of a convolution at any size."""
    if op.padding != "same":
        return op.sliding(tensor).pads
    window = resolve(op.kind, tensor, op.kernel, op.stride, "valid", op.dilation)
    return [same_pads(n, extent(f, d), s) for n, (f, s, d, _) in zip(tensor.spatial, window.axes, strict=True)]


def partial_rows(kernel: int, stride: int, dilation: int, after: int) -> int:
    """Rows to add after the padded input, so that a window that slides over it has the positions it has with `ceil`.

    A partial window lacks at most stride - 1 rows. With no more than d(f - 1) rows after the input in all, no window
    begins in them.
    """
    return min(stride - 1, extent(kernel, dilation) - 1 - after)


def _unpooled(op: MaxUnpool, tensor: TensorType) -> Sizes:
    sizes = [
        (n - 1) * s - before - after + f
        for n, (f, s, _, (before, after)) in zip(tensor.spatial, op.sliding(tensor).axes, strict=True)
    ]
    if any(size < 1 for size in sizes):
        raise SizeNeeded  # `infer` rejects it
    return tuple(sizes)


def _product(left: TensorType, right: TensorType) -> TensorType:
    if left.sizes[-1] != right.sizes[-2]:
        raise SizeNeeded  # `infer` rejects it
    batches = map(_broadcast, zip(left.sizes[:-2], right.sizes[:-2], strict=True))
    return left.with_sizes(*batches, left.sizes[-2], right.sizes[-1])


def _unmasked(op: MultiHeadAttention, inputs: Sequence[TensorType]) -> Sequence[TensorType]:
    """The types of the inputs without the mask, whose sizes are 1 or those of the products of queries and keys."""
    query, key, *_ = op.roles(inputs)
    *values, mask = inputs
    scores = (*query.sizes[:-1], key.sizes[-2])
    heads = [op.heads] * (len(mask.sizes) - len(scores))
    for size, wanted in zip(mask.sizes, (*scores[:-2], *heads, *scores[-2:]), strict=True):
        if not (_is_one(size) or size == wanted):
            raise SizeNeeded
    return values


def _taken(op: Slice, size: int) -> int:
    """The number of entries that a slice takes of an axis."""
    start = op.start if op.start >= 0 else size + op.start
    end = size if op.end is None else op.end if op.end >= 0 else size + op.end
    if not 0 <= start < end <= size:
        raise SizeNeeded  # `Slice.entries` rejects it
    return -((start - end) // op.step)


def _broadcast(sizes: Sequence[int]) -> int:
    """The size of an axis of values of which those of size 1 are repeated: the largest, whichever that is."""
    several = [size for size in sizes if not _is_one(size)]
    different = [size for i, size in enumerate(several) if not any(same_size(size, other) for other in several[:i])]
    if len(different) < 2:
        return different[0] if different else 1
    size, *others = sorted(different, key=lambda size: (size.nominal, 1) if isinstance(size, Size) else (size, 0))[::-1]
    for other in others:
        if not (_nominal(other) == 1 or other == size):
            raise SizeNeeded
    return -smallest([-each for each in different]) if all(isinstance(each, Size) for each in different) else size


def _nominal(size: int) -> int:
    return size.nominal if isinstance(size, Size) else size


def _is_one(size: int) -> bool:
    return not isinstance(size, Size) and size == 1


def _concatenated(op: Concat, inputs: Sequence[TensorType]) -> TensorType:
    first = inputs[0]
    selected = (op.axis + first.rank if op.axis < 0 else op.axis) - 1
    for other in inputs[1:]:
        for axis, (size, expected) in enumerate(zip(other.sizes, first.sizes, strict=True)):
            if axis != selected and size != expected:
                raise SizeNeeded
    total = sum(tensor.sizes[selected] for tensor in inputs)
    return first.with_sizes(*first.sizes[:selected], total, *first.sizes[selected + 1 :])
