"""Which ops need a check in the source, because PyTorch computes something where the spec refuses a size.

PyTorch broadcasts axes of size 1, shortens slices that reach beyond an axis, and splits an axis into unequal parts. In
most networks no size of the inputs leads there. Which ones do is found by inferring the types of all values at other
sizes of the inputs: small ones, those around powers of two, where strides round differently, and those near the
network's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from archspec.ir.graph import Graph, Node, Value
from archspec.ir.types import Shape, TensorType
from archspec.ops import Op, OpError
from archspec.ops.slicing import Split
from archspec.ops.spatial import AlignCrop, PadChannels

Types = tuple[TensorType, ...]


def unchecked(graph: Graph, kinds: Collection[type[Op]]) -> frozenset[type[Op]]:
    """Those of some kinds of ops that PyTorch applies to sizes that the spec refuses, at other sizes of the inputs.

    Sizes that PyTorch refuses at another op, such as a kernel larger than its input, do not count.
    """
    inference = _Inference(kinds)
    return frozenset(chain.from_iterable(inference.misapplied(graph, types) for types in _other_inputs(graph)))


def _other_inputs(graph: Graph) -> Iterator[Types]:
    """Other types for the inputs of a graph."""
    for types in _changed_inputs(tuple(value.type for value in graph.inputs)):
        if all(size > 0 for tensor in types for size in tensor.sizes):
            yield types


def _changed_inputs(types: Types) -> Iterator[Types]:
    largest = max((size for tensor in types for size in tensor.spatial), default=1)
    powers = (2**i + near for i in range(3, largest.bit_length() + 1) for near in (-1, 1))
    for size in (*range(1, 6), *powers):
        yield tuple(_with_axes(tensor, 1, lambda _, size=size: size) for tensor in types)  # type: ignore[misc]
    for rows in (-3, -2, -1, 1, 2, 3):
        yield tuple(_with_axes(tensor, 1, lambda size, rows=rows: size + rows) for tensor in types)  # type: ignore[misc]
    yield tuple(_with_axes(tensor, 1, lambda size: 2 * size) for tensor in types)
    yield tuple(_with_axes(tensor, 1, lambda size: size // 2) for tensor in types)
    for i, tensor in enumerate(types):
        for axis, own in enumerate(tensor.sizes if len(types) > 1 else tensor.sizes[:1]):
            for size in (1, own - 1, own + 1):
                sizes = (*tensor.sizes[:axis], size, *tensor.sizes[axis + 1 :])
                yield (*types[:i], tensor.with_sizes(*sizes), *types[i + 1 :])


def _with_axes(tensor: TensorType, start: int, change: Callable[[int], int]) -> TensorType:
    return tensor.with_sizes(*tensor.sizes[:start], *map(change, tensor.sizes[start:]))


@dataclass(frozen=True, slots=True)
class _Inferred:
    """What an op makes of inputs of some types.

    Attributes:
        outputs: the types of the outputs; None if the op refuses the inputs, or has other weights for them.
        is_misapplied: whether PyTorch computes something although the spec refuses it.
    """

    outputs: Types | None
    is_misapplied: bool = False


class _Inference:
    """Infers the types of the values of a graph for other inputs; each op once for inputs of the same types."""

    def __init__(self, kinds: Collection[type[Op]]) -> None:
        self.kinds = kinds
        self.inferred: dict[tuple[int, Types, Types], _Inferred] = {}

    def misapplied(self, graph: Graph, types: Types) -> set[type[Op]]:
        """The ops that PyTorch misapplies for these inputs of the graph; none if it refuses them elsewhere."""
        values: dict[Value, TensorType] = dict(zip(graph.inputs, types, strict=True))
        found: set[type[Op]] = set()
        for node in graph.inference_nodes:
            inputs = tuple([values[value] for value in node.inputs if value in values])
            if len(inputs) < len(node.inputs):
                continue
            key = id(node.op), inputs, node.input_types
            inferred = self.inferred.get(key) or self.inferred.setdefault(key, _infer(node, inputs))
            if inferred.is_misapplied and type(node.op) in self.kinds:
                assert isinstance(node.op, Op)
                found.add(type(node.op))
            elif inferred.outputs is None:
                return set()
            values.update(zip(node.outputs, inferred.outputs or (), strict=False))
        return found


def _infer(node: Node, inputs: Types) -> _Inferred:
    op = node.op
    if inputs == node.input_types:
        return _Inferred(node.output_types)
    if isinstance(op, AlignCrop):  # the join crops
        return _Inferred(inputs)
    try:
        outputs, needed = tuple(op.infer(inputs)), [weight.shape for weight in op.weights(inputs)]
    except OpError:
        return _Inferred(None, _is_chunked(op, inputs) and _broadcasts([tensor.sizes for tensor in inputs]))
    given = [weight.shape for weight in op.weights(node.input_types)]
    if needed != given:
        return _Inferred(None, all(map(_broadcasts, zip(needed, given, strict=True))))
    return _Inferred(outputs, isinstance(op, PadChannels) and inputs[0].channels != node.input_types[0].channels)


def _is_chunked(op: object, inputs: Types) -> bool:
    """Whether `chunk` gives as many parts as a split, of which the last is shorter; true of all other ops."""
    if not isinstance(op, Split) or op.parts is None:
        return True
    size = inputs[0].sizes[op.normalized_axis(inputs[0]) - 1]
    return -(-size // -(-size // op.parts)) == op.parts


def _broadcasts(shapes: Sequence[Shape]) -> bool:
    """Whether PyTorch broadcasts tensors of these shapes."""
    if len({len(shape) for shape in shapes}) > 1:
        return False
    return all(len({size for size in sizes if size != 1}) < 2 for sizes in zip(*shapes, strict=True))
