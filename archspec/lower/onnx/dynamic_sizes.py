"""Sizes left open: a model for all sizes is one that comes out the same at other sizes but for the shapes it declares.

No rule has to say whether it depends on sizes. A network is built at several, and what is written is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Graph
from archspec.ir.types import DType, SymbolicDim
from archspec.lower.onnx.builder import Body, Step, ValueInfo
from archspec.ops.base import OpError

_MORE = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (16, 16), (32, 32), (32, 64), (64, 32))
"""Rows and columns to add; a third axis gets both. Many networks take multiples of 32 alone."""

_AXES = ("depth", "height", "width")


def other_sizes(graph: Graph) -> Iterator[dict[str, tuple[int, ...]]]:
    """Other shapes for the inputs of a graph, without the batch axis: those with channels and something after them."""
    open_inputs = [value for value in graph.inputs if value.type.rank > 2 and value.type.dtype is DType.FLOAT32]
    if not open_inputs:
        return
    for rows, columns in _MORE:
        more = (rows, columns, rows + columns)
        yield {
            value.name: (value.type.channels, *map(sum, zip(value.type.spatial, more, strict=False)))
            for value in open_inputs
        }


def alike(graph: Graph, body: Body, others: Sequence[tuple[Graph, Body]]) -> list[tuple[Graph, Body]]:
    """Those of the others that are the same network at other sizes; what is left is a network that takes no such size.

    Args:
        graph: the network.
        body: what is written of it.
        others: what its spec makes at other sizes, and what is written of that.

    Raises:
        ArchspecError: a layer is made for one size; it is named.
    """
    found: list[tuple[Graph, Body]] = []
    reasons: list[tuple[str, str]] = []
    for other, twin in others:
        fixed = _weighing(graph, other) or _differing(body, twin)
        if fixed is None:
            found.append((other, twin))
        elif _takes(graph, other):
            raise _refused(graph, fixed)
        else:
            reasons.append(fixed)
    if not found:
        raise _refused(graph, reasons[0])
    return found


def opened(body: Body, twins: Sequence[Body]) -> Body:
    """What is written of a graph, with symbols for the sizes in which it differs from what is written at other sizes.

    An axis of an output that is always as long as one of an input has that one's symbol.
    """
    names = _symbols(body.inputs, [twin.inputs for twin in twins], prefixed=len(body.inputs) > 1)
    lengths = {
        tuple(own.shape[axis] for own in (made, *(twin.inputs[i] for twin in twins))): names[made.name, axis]
        for i, made in enumerate(body.inputs)
        for axis in range(len(made.shape))
        if (made.name, axis) in names
    }

    def renewed(made: ValueInfo, like: Sequence[ValueInfo], *, named: bool) -> ValueInfo:
        shape = list(made.shape)
        for axis, size in enumerate(made.shape):
            sizes = (size, *(other.shape[axis] for other in like))
            if len(set(sizes)) > 1:
                own = SymbolicDim(f"{made.name}_{_axis(made, axis)}") if named else None
                shape[axis] = lengths.get(sizes, own)
        return replace(made, shape=tuple(shape))

    def all_renewed(
        made: Sequence[ValueInfo], like: Iterable[Sequence[ValueInfo]], *, named: bool
    ) -> tuple[ValueInfo, ...]:
        return tuple(renewed(each, same, named=named) for each, same in zip(made, zip(*like, strict=True), strict=True))

    steps = zip(body.steps, zip(*(twin.steps for twin in twins), strict=True), strict=True)
    return replace(
        body,
        inputs=all_renewed(body.inputs, [twin.inputs for twin in twins], named=True),
        outputs=all_renewed(body.outputs, [twin.outputs for twin in twins], named=True),
        steps=tuple(
            replace(step, outputs=all_renewed(step.outputs, [other.outputs for other in same], named=False))
            for step, same in steps
        ),
    )


def unopened(graph: Graph, errors: Iterable[ArchspecError]) -> ArchspecError:
    """The error of a network that can be built at no other size, with what was wrong at the last."""
    found = [diagnostic for error in errors for diagnostic in error.diagnostics]
    if not found:
        return fail("unsupported", f"the inputs of '{graph.name}' have no height and width that could stay open")
    message = f"ONNX cannot leave the sizes of '{graph.name}' open: it is made for one size"
    return fail("unsupported", message, found[-1].span, notes=[("at another:", found[-1].message)])


def _symbols(
    inputs: Sequence[ValueInfo], like: Sequence[Sequence[ValueInfo]], *, prefixed: bool
) -> Mapping[tuple[str, int], SymbolicDim]:
    """The symbols of the axes of inputs that differ: `height`, or `left_height` where there are several inputs."""
    return {
        (made.name, axis): SymbolicDim(f"{made.name}_{_axis(made, axis)}" if prefixed else _axis(made, axis))
        for i, made in enumerate(inputs)
        for axis, size in enumerate(made.shape)
        if any(other[i].shape[axis] != size for other in like)
    }


def _axis(made: ValueInfo, axis: int) -> str:
    """What an axis is called: `height` and `width` are the last two of an image."""
    rank = len(made.shape)
    if rank == 3:
        return ("N", "channels", "length")[axis]
    return ("N", "channels", *_AXES[5 - rank :])[axis] if 4 <= rank <= 5 else f"axis{axis}"


def _takes(graph: Graph, other: Graph) -> bool:
    """Whether the layers of a graph fit one another at the sizes of another's inputs."""
    types = {value: twin.type for value, twin in zip(graph.inputs, other.inputs, strict=True)}
    try:
        for node in graph.nodes:
            made = node.op.infer([types[value] for value in node.inputs])
            types.update(zip(node.outputs, made, strict=True))
    except OpError:
        return False
    return True


def _weighing(graph: Graph, other: Graph) -> tuple[str, str] | None:
    """The first layer that has other weights at another size, and how."""
    mine, theirs = dict(graph.weights()), dict(other.weights())
    for key in [*mine, *theirs]:
        weight, twin = mine.get(key), theirs.get(key)
        if weight is None or twin is None or weight.shape != twin.shape:
            shapes = " and ".join(str(list(each.shape)) if each else "none" for each in (weight, twin))
            return key.rpartition(".")[0], f"its weight would be {shapes}"
    return None


def _differing(body: Body, twin: Body) -> tuple[str, str] | None:
    """The first layer that is written otherwise at another size."""
    for step, other in zip_longest(body.steps, twin.steps):
        if step is None or other is None or _written(step, body) != _written(other, twin):
            return (step or other).name.partition("/")[0], "it is written with numbers of rows"
    return None


def _written(step: Step, body: Body) -> tuple[object, ...]:
    """What is written of a step, the numbers of its constants among it, but not the shapes of what it makes."""
    constants = [body.constants[name].tobytes() for name in step.inputs if name in body.constants]
    made = [(value.name, value.dtype, len(value.shape)) for value in step.outputs]
    return step.op, step.name, step.inputs, dict(step.attributes), made, constants


def _refused(graph: Graph, fixed: tuple[str, str]) -> ArchspecError:
    name, reason = fixed
    node = next((node for node in graph.nodes if node.name == name), None)
    message = f"ONNX cannot leave the sizes of '{graph.name}' open: '{name}' is made for one size"
    help = "what is to run at any size ends in convolutions, or in a global pooling before its linear layers"
    return fail("unsupported", message, node.span if node else None, notes=[("at another:", reason)], help=help)
