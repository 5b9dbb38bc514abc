"""Dynamic height and width: export at several sizes and accept only what is identical apart from the declared shapes.

No rule declares whether its nodes depend on the sizes. The network is lowered at several sizes and the ONNX graphs are
compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Graph
from archspec.ir.types import DType, SymbolicDim
from archspec.lower.onnx.builder import OnnxGraph, OnnxNode, ValueInfo
from archspec.ops.base import OpError

_INCREMENTS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (16, 16), (32, 32), (32, 64), (64, 32))
"""Rows and columns to add to the inputs; a third axis gets their sum. Many networks accept only multiples of 32."""

_AXES = ("depth", "height", "width")


def other_sizes(graph: Graph) -> Iterator[dict[str, tuple[int, ...]]]:
    """Other shapes for the float inputs of a graph that have axes after the channels, without the batch axis."""
    inputs = [value for value in graph.inputs if value.type.rank > 2 and value.type.dtype is DType.FLOAT32]
    if not inputs:
        return
    for rows, columns in _INCREMENTS:
        added = (rows, columns, rows + columns)
        yield {
            value.name: (value.type.channels, *map(sum, zip(value.type.spatial, added, strict=False)))
            for value in inputs
        }


def same_network(
    graph: Graph, onnx_graph: OnnxGraph, others: Sequence[tuple[Graph, OnnxGraph]]
) -> list[tuple[Graph, OnnxGraph]]:
    """Those of `others` that are the same network at other sizes.

    Another network is left out if the layers of `graph` do not accept its sizes.

    Args:
        graph: the network.
        onnx_graph: its ONNX graph.
        others: what its spec builds at other sizes, each with its ONNX graph.

    Raises:
        ArchspecError: a layer works at one size only; the message names it.
    """
    same: list[tuple[Graph, OnnxGraph]] = []
    reasons: list[tuple[str, str]] = []
    for other, other_onnx in others:
        difference = _weight_difference(graph, other) or _node_difference(onnx_graph, other_onnx)
        if difference is None:
            same.append((other, other_onnx))
        elif _accepts(graph, other):
            raise _fixed_size(graph, difference)
        else:
            reasons.append(difference)
    if not same:
        raise _fixed_size(graph, reasons[0])
    return same


def with_symbols(onnx_graph: OnnxGraph, others: Sequence[OnnxGraph]) -> OnnxGraph:
    """An ONNX graph with symbols for the sizes in which it differs from its versions at other sizes.

    An axis of an output that always has the length of an input's axis gets that axis's symbol.
    """
    names = _input_symbols(onnx_graph.inputs, [other.inputs for other in others], prefixed=len(onnx_graph.inputs) > 1)
    symbols = {
        tuple(version.shape[axis] for version in (value, *(other.inputs[i] for other in others))): names[
            value.name, axis
        ]
        for i, value in enumerate(onnx_graph.inputs)
        for axis in range(len(value.shape))
        if (value.name, axis) in names
    }

    def with_own(value: ValueInfo, versions: Sequence[ValueInfo], *, named: bool) -> ValueInfo:
        shape = list(value.shape)
        for axis, size in enumerate(value.shape):
            sizes = (size, *(version.shape[axis] for version in versions))
            if len(set(sizes)) > 1:
                own = SymbolicDim(f"{value.name}_{_axis_name(value, axis)}") if named else None
                shape[axis] = symbols.get(sizes, own)
        return replace(value, shape=tuple(shape))

    def with_all(
        values: Sequence[ValueInfo], versions: Iterable[Sequence[ValueInfo]], *, named: bool
    ) -> tuple[ValueInfo, ...]:
        pairs = zip(values, zip(*versions, strict=True), strict=True)
        return tuple(with_own(value, others, named=named) for value, others in pairs)

    nodes = zip(onnx_graph.nodes, zip(*(other.nodes for other in others), strict=True), strict=True)
    return replace(
        onnx_graph,
        inputs=with_all(onnx_graph.inputs, [other.inputs for other in others], named=True),
        outputs=with_all(onnx_graph.outputs, [other.outputs for other in others], named=True),
        nodes=tuple(
            replace(node, outputs=with_all(node.outputs, [version.outputs for version in versions], named=False))
            for node, versions in nodes
        ),
    )


def no_other_size(graph: Graph, errors: Iterable[ArchspecError]) -> ArchspecError:
    """The error for a network that can be built at no other size, with the last of the `errors` of trying."""
    diagnostics = [diagnostic for error in errors for diagnostic in error.diagnostics]
    if not diagnostics:
        return fail("unsupported", f"the inputs of '{graph.name}' have no height and width that could be dynamic")
    message = f"ONNX cannot export '{graph.name}' with dynamic sizes: it works at one size only"
    return fail("unsupported", message, diagnostics[-1].span, notes=[("at another size:", diagnostics[-1].message)])


def _input_symbols(
    inputs: Sequence[ValueInfo], versions: Sequence[Sequence[ValueInfo]], *, prefixed: bool
) -> Mapping[tuple[str, int], SymbolicDim]:
    """The symbols of the input axes that differ: `height`, or `left_height` if there are several inputs."""
    return {
        (value.name, axis): SymbolicDim(
            f"{value.name}_{_axis_name(value, axis)}" if prefixed else _axis_name(value, axis)
        )
        for i, value in enumerate(inputs)
        for axis, size in enumerate(value.shape)
        if any(version[i].shape[axis] != size for version in versions)
    }


def _axis_name(value: ValueInfo, axis: int) -> str:
    """The name of an axis: `height` and `width` are the last two of an image."""
    rank = len(value.shape)
    if rank == 3:
        return ("N", "channels", "length")[axis]
    return ("N", "channels", *_AXES[5 - rank :])[axis] if 4 <= rank <= 5 else f"axis{axis}"


def _accepts(graph: Graph, other: Graph) -> bool:
    """Whether the layers of a graph accept the sizes of another graph's inputs."""
    types = {value: other_value.type for value, other_value in zip(graph.inputs, other.inputs, strict=True)}
    try:
        for node in graph.nodes:
            outputs = node.op.infer([types[value] for value in node.inputs])
            types.update(zip(node.outputs, outputs, strict=True))
    except OpError:
        return False
    return True


def _weight_difference(graph: Graph, other: Graph) -> tuple[str, str] | None:
    """The first layer whose weights differ at another size, and how."""
    weights, other_weights = dict(graph.weights()), dict(other.weights())
    for key in [*weights, *other_weights]:
        pair = weights.get(key), other_weights.get(key)
        if pair[0] is None or pair[1] is None or pair[0].shape != pair[1].shape:
            shapes = " and ".join(str(list(weight.shape)) if weight else "none" for weight in pair)
            return key.rpartition(".")[0], f"its weight would be {shapes}"
    return None


def _node_difference(onnx_graph: OnnxGraph, other: OnnxGraph) -> tuple[str, str] | None:
    """The first layer whose ONNX nodes differ at another size."""
    for node, other_node in zip_longest(onnx_graph.nodes, other.nodes):
        if node is None or other_node is None or _content(node, onnx_graph) != _content(other_node, other):
            return (node or other_node).name.partition("/")[0], "its ONNX form contains the sizes"
    return None


def _content(node: OnnxNode, onnx_graph: OnnxGraph) -> tuple[object, ...]:
    """Everything about a node, with the elements of its constants, but without the shapes of its outputs."""
    constants = [onnx_graph.constants[name].tobytes() for name in node.inputs if name in onnx_graph.constants]
    outputs = [(value.name, value.dtype, len(value.shape)) for value in node.outputs]
    return node.op, node.name, node.inputs, dict(node.attributes), outputs, constants


def _fixed_size(graph: Graph, difference: tuple[str, str]) -> ArchspecError:
    """The error for a layer that works at one size only."""
    name, reason = difference
    node = next((node for node in graph.nodes if node.name == name), None)
    message = f"ONNX cannot export '{graph.name}' with dynamic sizes: '{name}' works at one size only"
    help = "a network for any size ends in convolutions, or has a global pooling before its linear layers"
    return fail("unsupported", message, node.span if node else None, notes=[("at another size:", reason)], help=help)
