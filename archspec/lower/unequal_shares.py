"""Layers that share weights but not attributes: a PyTorch module or a Keras layer is one call for both."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.ir.graph import Graph, Node
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules import RULES


def unequal_shares(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each layer that shares the weights of a layer with other attributes.

    A layer is not reported if PyTorch has no rule for its op.
    """
    nodes = {node.name: node for node in graph.nodes}
    for node in graph.nodes:
        owner = nodes[node.owner] if node.owner is not None else node
        if node.op != owner.op:
            call, other = _call(node), _call(owner)
            if call is not None and other is not None and call.module != other.module:
                message = f"'{node.name}' shares the weights of '{owner.name}', which has other attributes"
                help = "a module of PyTorch or a layer of Keras cannot have both; ONNX can"
                yield Diagnostic("unequal-share", message, node.span, help=help)


def _call(node: Node) -> ModuleCall | None:
    try:
        return RULES.apply(node, node)
    except ArchspecError:
        return None
