"""The names of dynamic sizes in an ONNX model."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.types import Dim, SymbolicDim
from archspec.lower.dynamic.symbolic_size import Size
from archspec.lower.onnx.builder import OnnxGraph, ValueInfo


def with_symbols(onnx_graph: OnnxGraph) -> OnnxGraph:
    """An ONNX graph whose declared shapes have symbols for formulas.

    An axis of an input is called `height`, or `left_height` if there are several inputs. An axis of an output that
    always has the size of an input's axis has that name, too.
    """
    names: dict[Dim | None, SymbolicDim] = {}
    for value in onnx_graph.inputs:
        for axis, size in enumerate(value.shape):
            if isinstance(size, Size):
                name = _axis_name(len(value.shape), axis)
                names[size] = SymbolicDim(f"{value.name}_{name}" if len(onnx_graph.inputs) > 1 else name)

    def declared(value: ValueInfo, *, named: bool) -> ValueInfo:
        own = [SymbolicDim(f"{value.name}_{_axis_name(len(value.shape), i)}") for i in range(len(value.shape))]
        shape = [
            names.get(size, symbol if named else None) if isinstance(size, Size) else size
            for size, symbol in zip(value.shape, own, strict=True)
        ]
        return replace(value, shape=tuple(shape))

    return replace(
        onnx_graph,
        inputs=tuple(declared(value, named=True) for value in onnx_graph.inputs),
        outputs=tuple(declared(value, named=True) for value in onnx_graph.outputs),
        nodes=tuple(
            replace(node, outputs=tuple(declared(value, named=False) for value in node.outputs))
            for node in onnx_graph.nodes
        ),
    )


def _axis_name(rank: int, axis: int) -> str:
    """The name of an axis: `height` and `width` are the last two of an image."""
    if rank == 3:
        return ("N", "channels", "length")[axis]
    return ("N", "channels", *("depth", "height", "width")[5 - rank :])[axis] if 4 <= rank <= 5 else f"axis{axis}"
