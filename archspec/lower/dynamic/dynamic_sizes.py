"""Dynamic sizes of a network's inputs: that its spec describes the same network at all of them, and examples of them.

`symbolic_graph` proves that each layer does the same at all sizes. That the layers are the same is another question,
because expressions in a spec can read sizes: none may read a size that changes. As a check on that, the network is
built at some other sizes, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.elaborate.builder import build
from archspec.frontend.elaborate.overrides import settings
from archspec.frontend.language.spec import Spec
from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.dynamic.symbolic_graph import dynamic_axes, symbolic
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.optimize import optimized
from archspec.lower.weights import initial
from archspec.ops import Op
from archspec.ops.base import OpError
from archspec.ops.spatial import AlignCrop

_INCREMENTS = ((1, 1), (2, 3), (3, 2), (5, 4), (6, 7), (8, 8), (16, 16), (32, 32), (32, 64), (64, 32), (96, 0))
"""Rows and columns to add to the inputs; a third axis gets their sum. Many networks accept only multiples of 32."""

_SAMPLES = 4
"""The number of other sizes to look at."""


def at_other_sizes(
    graph: Graph, spec: Spec | None, variant: str | None, params: Mapping[str, Any], *, optimize: bool
) -> list[Graph]:
    """The graphs of a network at some other sizes that it accepts; none if it accepts none of those that are tried.

    Args:
        graph: the network at its own sizes.
        spec: the spec it was built from, if there is one.
        variant: the variant of the spec.
        params: the params that override those of the spec.
        optimize: whether to optimize the graphs, as `graph` is.

    Raises:
        ArchspecError: no input has a size that could be dynamic, a layer works at one size only, or the spec describes
            another network at other sizes.
    """
    if not any(dynamic_axes(value) for value in graph.inputs):
        raise fail("unsupported", f"the inputs of '{graph.name}' have no height and width that could be dynamic")
    formulas = symbolic(graph).graph
    _check_reads(graph, formulas)
    if spec is None:
        return list(islice(filter(None, (resized(graph, sizes) for sizes in other_sizes(formulas))), _SAMPLES))
    own = build(spec, graph.name, settings(spec, variant, params, _sizes(graph))).graph
    graphs: list[Graph] = []
    for sizes in other_sizes(formulas):
        built = build(spec, graph.name, settings(spec, variant, params, sizes))
        if built.diagnostics:
            continue
        if difference := _difference(own, built.graph):
            raise _structure_error(graph, f"'{difference.name}' differs at another size", difference.span)
        # how a graph is optimized does not depend on the values of its weights
        graphs.append(optimized(built.graph, initial(built.graph))[0] if optimize else built.graph)
        if len(graphs) == _SAMPLES:
            break
    return graphs


def changing_axes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The axes of inputs, by their names, that can have any size.

    Raises:
        ArchspecError: a layer works at one size only.
    """
    return {
        value.name: tuple(axis for axis, size in enumerate(value.type.sizes, 1) if isinstance(size, Size))
        for value in symbolic(graph).graph.inputs
    }


def _check_reads(graph: Graph, formulas: Graph) -> None:
    """Check that no expression, but of parts that run only while training, reads a size that is a formula.

    Raises:
        ArchspecError: one does, or reads a value that no output depends on.
    """
    values = {value.name: value for node in formulas.nodes for value in node.outputs}
    values |= {value.name: value for value in formulas.inputs}
    for read in graph.size_reads:
        known = values.get(read.value.name)
        sizes = None if known is None else [known.type.sizes[axis] for axis in read.axes]
        if not read.training_only and (sizes is None or any(isinstance(size, Size) for size in sizes)):
            raise _structure_error(graph, f"'{read.text}' depends on the size", read.span)


def other_sizes(formulas: Graph) -> Iterator[dict[str, tuple[int, ...]]]:
    """Other sizes of the inputs of a symbolic graph: of those that are dynamic, without the batch axis."""
    for rows, columns in _INCREMENTS:
        added = (rows, columns, rows + columns)
        yield {
            value.name: tuple(
                size.nominal + added[axis - 1] if isinstance(size, Size) else size
                for axis, size in enumerate(value.type.sizes)
            )
            for value in formulas.inputs
            if any(isinstance(size, Size) for size in value.type.sizes)
        }


def resized(graph: Graph, sizes: Mapping[str, tuple[int, ...]]) -> Graph | None:
    """The same layers for other sizes of the inputs; None if they do not accept them."""
    values = {
        value: Value(value.name, value.type.with_sizes(*sizes.get(value.name, value.type.sizes)))
        for value in graph.inputs
    }
    nodes: dict[Node, Node] = {}
    for old in graph.nodes:
        node = old
        assert isinstance(node.op, Op)
        inputs = tuple(values[value] for value in node.inputs)
        if isinstance(node.op, AlignCrop):  # the join crops
            node = replace(node, op=AlignCrop(size=inputs[0].type.spatial))
        try:
            types = node.op.infer(tuple(value.type for value in inputs))
        except OpError:
            return None
        outputs = tuple(map(Value, (value.name for value in node.outputs), types))
        values.update(zip(old.outputs, outputs, strict=True))
        nodes[old] = replace(node, inputs=inputs, outputs=outputs)

    def scope(old: Scope) -> Scope:
        items = tuple(nodes[item] if isinstance(item, Node) else scope(item) for item in old.items)
        inputs, outputs = (tuple(values[value] for value in side) for side in (old.inputs, old.outputs))
        return replace(old, items=items, inputs=inputs, outputs=outputs)

    results = tuple(replace(output, value=values[output.value]) for output in graph.outputs)
    return Graph(graph.name, tuple(values[value] for value in graph.inputs), scope(graph.body), results)


def _structure_error(graph: Graph, reason: str, span: Span | None) -> ArchspecError:
    message = f"'{graph.name}' cannot have dynamic sizes: {reason}"
    return fail("unsupported", message, span, help="write numbers or params where the spec reads sizes")


def _sizes(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {value.name: value.type.sizes for value in graph.inputs}


def _difference(graph: Graph, other: Graph) -> Node | None:
    """The first layer in which two networks differ, apart from the types of values."""
    layers, others = _layers(graph), _layers(other)
    for (node, *facts), (_, *same) in zip(layers, others, strict=False):
        if facts != same:
            return node
    if len(layers) != len(others):
        return max(layers, others, key=len)[min(len(layers), len(others))][0]
    return None


def _layers(graph: Graph) -> list[tuple[Node, str, Op, list[str]]]:
    """The layers at inference but for the crops of `align`, which are where sizes differ; with what they read."""
    cropped = {node.outputs[0]: node.inputs[0] for node in graph.nodes if isinstance(node.op, AlignCrop)}
    return [
        (node, node.name, node.op, [cropped.get(value, value).name for value in node.inputs])
        for node in graph.inference_nodes
        if isinstance(node.op, Op) and not isinstance(node.op, AlignCrop)
    ]
