"""What needs a check in the source, because PyTorch would compute something else than the spec means at other sizes.

PyTorch broadcasts axes of size 1, shortens slices that reach beyond an axis, and splits an axis into unequal parts. And
where the spec reads the size of a value, it may mean another network at another size. In most networks no size of the
inputs leads there. Which ones do is found by inferring the types of all values at other sizes of the inputs: small
ones, those around powers of two, where strides round differently, those near the network's own, and those of as many
elements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from archspec.ir.graph import Graph, Node, SizeRead, Value
from archspec.ir.types import Shape, TensorType
from archspec.ops import Op, OpError
from archspec.ops.slicing import Split
from archspec.ops.spatial import AlignCrop, PadChannels

Types = tuple[TensorType, ...]


@dataclass(frozen=True, slots=True)
class SizeChecks:
    """What the source has to check.

    Attributes:
        ops: the kinds of ops that PyTorch applies to sizes that the spec refuses.
        inputs: the inputs that the network takes at one size only, each with whether that is so only while training.
    """

    ops: frozenset[type[Op]]
    inputs: Mapping[Value, bool]


def size_checks(graph: Graph, kinds: Collection[type[Op]]) -> SizeChecks:
    """What the source has to check at other sizes of the inputs; of the ops, it can check those of some kinds.

    Sizes that PyTorch refuses anyway, such as those smaller than a kernel, need no check.
    """
    inference = _Inference(kinds)
    reads = [read for read in graph.size_reads if not read.training_only]
    ops, inputs = inference.needed(graph, graph.inference_nodes, reads, frozenset())
    in_training: set[Value] = set()
    if graph.training_only:
        used = [node for node in graph.nodes if node not in graph.unused]
        more, in_training = inference.needed(graph, used, graph.size_reads, inputs)
        ops |= more
    sized = {value: value not in inputs for value in graph.inputs if value in inputs or value in in_training}
    return SizeChecks(frozenset(ops), sized)


def _other_inputs(graph: Graph) -> Iterator[Types]:
    """Other types for the inputs of a graph."""
    for types in _changed_inputs(tuple(value.type for value in graph.inputs)):
        if all(size > 0 for tensor in types for size in tensor.sizes):
            yield types


def _changed_inputs(types: Types) -> Iterator[Types]:
    for i, tensor in enumerate(types):
        for axis, own in enumerate(tensor.sizes if len(types) > 1 else tensor.sizes[:1]):
            for size in (1, own - 1, own + 1):
                sizes = (*tensor.sizes[:axis], size, *tensor.sizes[axis + 1 :])
                yield (*types[:i], tensor.with_sizes(*sizes), *types[i + 1 :])
        for one, other in permutations(range(len(tensor.sizes)), 2):  # as many elements, which a reshape may take
            resized = list(tensor.sizes)
            resized[one], resized[other] = 2 * resized[one], resized[other] // 2
            if tensor.sizes[other] % 2 == 0:
                yield (*types[:i], tensor.with_sizes(*resized), *types[i + 1 :])
    largest = max((size for tensor in types for size in tensor.spatial), default=1)
    powers = (2**i + near for i in range(3, largest.bit_length() + 1) for near in (-1, 1))
    for size in (*range(1, 6), *powers):
        yield tuple(_with_axes(tensor, 1, lambda _, size=size: size) for tensor in types)  # type: ignore[misc]
    for rows in (-3, -2, -1, 1, 2, 3):
        yield tuple(_with_axes(tensor, 1, lambda size, rows=rows: size + rows) for tensor in types)  # type: ignore[misc]
    yield tuple(_with_axes(tensor, 1, lambda size: 2 * size) for tensor in types)
    yield tuple(_with_axes(tensor, 1, lambda size: size // 2) for tensor in types)


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

    def needed(
        self, graph: Graph, nodes: Sequence[Node], reads: Sequence[SizeRead], sized: Collection[Value]
    ) -> tuple[set[type[Op]], set[Value]]:
        """The ops and the inputs that need a check.

        Args:
            graph: the network.
            nodes: what runs.
            reads: the sizes that it is made for.
            sized: inputs that are checked already.
        """
        ops: set[type[Op]] = set()
        inputs = set(sized)
        for types in _other_inputs(graph) if self.kinds or reads else ():
            changed = {value for value, type in zip(graph.inputs, types, strict=True) if type != value.type}
            if not changed.isdisjoint(inputs):
                continue
            values: dict[Value, TensorType] = dict(zip(graph.inputs, types, strict=True))
            misapplied = self.run(nodes, values)
            if misapplied:
                ops |= misapplied
            elif misapplied is not None and any(_changes(read, values) for read in reads):
                inputs |= changed
        return ops, inputs

    def run(self, nodes: Sequence[Node], values: dict[Value, TensorType]) -> set[type[Op]] | None:
        """Add the types of what nodes compute to those of the inputs of the graph.

        Returns:
            The ops that PyTorch misapplies; None if it refuses another op.
        """
        found: set[type[Op]] = set()
        for node in nodes:
            inputs = tuple([values[value] for value in node.inputs if value in values])
            if len(inputs) < len(node.inputs):
                continue
            key = id(node.op), inputs, node.input_types
            inferred = self.inferred.get(key) or self.inferred.setdefault(key, _infer(node, inputs))
            if inferred.is_misapplied and type(node.op) in self.kinds:
                assert isinstance(node.op, Op)
                found.add(type(node.op))
            elif inferred.outputs is None:
                return None
            values.update(zip(node.outputs, inferred.outputs or (), strict=False))
        return found


def _changes(read: SizeRead, values: Mapping[Value, TensorType]) -> bool:
    """Whether a size that an expression reads is another, or of a value that is not computed."""
    type, own = values.get(read.value), read.value.type
    return type is None or any(type.sizes[axis] != own.sizes[axis] for axis in read.axes)


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
        return _Inferred(None, len(needed) == len(given) and all(map(_broadcasts, zip(needed, given, strict=True))))
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
