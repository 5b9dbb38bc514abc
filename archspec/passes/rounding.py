"""Sizes without rounding: what each value would measure if windows with a stride could end between two positions.

Where a size is not a multiple of the strides, poolings and convolutions round it down, and a decoder that scales it up
again ends below the size it started from. A network without padding ends there, too, but not because of rounding.
"""

from __future__ import annotations

from fractions import Fraction

from archspec.ir.graph import Graph, Node, Value
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.geometry import extent
from archspec.ops.merge import Join
from archspec.ops.pool import AvgPool, MaxPool
from archspec.ops.spatial import Pad, Upsample

Sizes = tuple[Fraction, ...]


def unrounded(graph: Graph) -> dict[Value, Sizes]:
    """The sizes without rounding of every value along its spatial axes.

    They start from the size again after an op that sets it.
    """
    sizes = {value: _own(value) for value in graph.inputs}
    for node in graph.nodes:
        sizes.update(dict.fromkeys(node.outputs, _own(node.outputs[0])))
        for output in node.outputs:
            if output.type.rank == node.inputs[0].type.rank:
                sizes[output] = _sizes(node, output, sizes)
    return sizes


def _own(value: Value) -> Sizes:
    return tuple(map(Fraction, value.type.spatial)) if value.type.sizes else ()


def _sizes(node: Node, output: Value, known: dict[Value, Sizes]) -> Sizes:
    op, source, rounded = node.op, node.inputs[0], _own(output)
    before, given = known[source], _own(source)
    if isinstance(op, Conv | MaxPool | AvgPool):
        axes = zip(before, op.sliding(source.type).axes, rounded, strict=True)
        return tuple(
            max((size + sum(pads) - extent(kernel, dilation)) / stride + 1, result)
            for size, (kernel, stride, dilation, pads), result in axes
        )
    if isinstance(op, ConvTranspose | Pad):
        strides = op.sliding(source.type).stride if isinstance(op, ConvTranspose) else (1,) * len(before)
        lost = (size - own for size, own in zip(before, given, strict=True))
        return tuple(result + more * stride for result, more, stride in zip(rounded, lost, strides, strict=True))
    if isinstance(op, Upsample) and op.scale is not None:
        return tuple(size * Fraction(factor) for size, factor in zip(before, op.scales(len(before)), strict=True))
    if isinstance(op, Join):
        return max((known[value] for value in node.inputs if _own(value) == rounded), default=rounded)
    return before if given == rounded else rounded
