"""A check that inputs of dynamic size are large enough: some operators accept less than their layer does, as Slice."""

from __future__ import annotations

from archspec.ir.graph import Node, Value
from archspec.lower.dynamic.symbolic_graph import SymbolicGraph
from archspec.lower.dynamic.symbolic_size import Axis, Size, at_least, least
from archspec.lower.onnx.builder import GraphState, OnnxBuilder
from archspec.ops.reshape import Identity


def check_sizes(state: GraphState, formulas: SymbolicGraph) -> dict[Value, str]:
    """Write a Reshape after each input whose size matters; the ONNX name of each input as layers read it.

    It reshapes an input to its own sizes, or to what the layers need if that is more, which fails.
    """
    graph = formulas.graph
    names = {value: value.name for value in graph.inputs}
    needed: dict[Axis, int] = {}
    others: list[Size] = []
    for requirement in formulas.requirements:
        if len(requirement.axes) == 1:
            (axis,) = requirement.axes
            needed[axis] = max(needed.get(axis, 1), least(requirement, axis))
        else:
            others.append(requirement)
    for value in graph.inputs:
        sizes = list(value.type.sizes)
        for i, size in enumerate(sizes):
            if isinstance(size, Size):
                (axis,) = size.axes
                sizes[i] = at_least(needed[axis], size) if needed.get(axis, 1) > 1 else size
        missing = [requirement for requirement in others if min(requirement.axes, key=str).value == value.name]
        if missing:
            sizes[-1] += sum(at_least(0, -requirement) for requirement in sorted(missing, key=repr))
        if any(a is not b for a, b in zip(sizes, value.type.sizes, strict=True)):
            checked = Node(f"{value.name}/checked", Identity(), (value,), (Value(f"{value.name}/checked", value.type),))
            builder = OnnxBuilder(state, checked, (value.name,))
            names[value] = builder.result("Reshape", value.name, builder.exact_shape(sizes))
    return names
