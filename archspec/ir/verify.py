"""Proof that a graph is sound: its structure holds, and every type is what its op infers."""

from __future__ import annotations

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.ir.graph import Graph, Node, Value


def verify(graph: Graph) -> None:
    """Infer the graph again and compare.

    Raises:
        ArchspecError: a value is read before it is made, a name is given twice, a type or a weight is not what the op
            says, or a weight is borrowed from a node that has none. Only a mistake in the compiler makes this happen.
    """
    faults = [*_structure(graph), *_types(graph)]
    if faults:
        raise ArchspecError(Diagnostic("invalid-graph", fault) for fault in faults)


def _structure(graph: Graph) -> list[str]:
    faults: list[str] = []
    made: set[Value] = set(graph.inputs)
    names: dict[str, Node] = {}
    for node in graph.nodes:
        faults += [
            f"'{node.name}' reads '{value.name}' before it is made" for value in node.inputs if value not in made
        ]
        made.update(node.outputs)
        if node.name in names:
            faults.append(f"two nodes are called '{node.name}'")
        names[node.name] = node
        lender = names.get(node.owner) if node.owner else None
        if node.owner and (lender is None or lender.owner or lender.weights != node.weights):
            faults.append(f"'{node.name}' borrows the weights of '{node.owner}', which has not got them")
    faults += [f"the output '{o.name}' is not made by any node" for o in graph.outputs if o.value not in made]
    return faults


def _types(graph: Graph) -> list[str]:
    faults: list[str] = []
    for node in graph.nodes:
        inferred = node.op.infer(node.input_types)
        if inferred != node.output_types:
            shown = [", ".join(map(str, types)) for types in (node.output_types, inferred)]
            faults.append(f"'{node.name}' says it makes {shown[0]}, and its op infers {shown[1]}")
        wanted = [(weight.name, weight.shape) for weight in node.op.weights(node.input_types)]
        have = [(weight.name, weight.shape) for weight in node.weights]
        if wanted != have:
            faults.append(f"'{node.name}' has the weights {have}, and its op wants {wanted}")
    return faults
