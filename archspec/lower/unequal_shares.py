"""Layers that share weights with a layer of other attributes, where a target can only call the same layer for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.ir.graph import Graph, Node
from archspec.lower.keras import rules as keras
from archspec.lower.keras.partition import difference
from archspec.lower.torch import rules as torch


def unequal_shares(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each layer that PyTorch or Keras refuses because of the layer whose weights it shares.

    A layer is not reported for a target that has no rule for its op.
    """
    nodes = {node.name: node for node in graph.nodes}
    for node in graph.nodes:
        owner = nodes[node.owner or node.name]
        reasons = {target: _reason(check, node, owner) for target, check in _CHECKS.items()} if node.owner else {}
        refusing = [target for target, reason in reasons.items() if reason]
        if refusing:
            message = f"'{node.name}' shares the weights of '{owner.name}', which {reasons[refusing[0]]}"
            able = [target for target in (*_CHECKS, "ONNX") if target not in refusing]
            help = f"{' and '.join(refusing)} cannot express that; {' and '.join(able)} can"
            yield Diagnostic("unequal-share", message, node.span, help=help)


def _in_torch(node: Node, owner: Node) -> str | None:
    calls = torch.RULES.apply(node, node), torch.RULES.apply(owner, owner)
    return "has other attributes" if torch.with_shared_weights(node, *calls) is None else None


def _in_keras(node: Node, owner: Node) -> str | None:
    return difference(node, keras.RULES.apply(node, node), owner, keras.RULES.apply(owner, owner))


_CHECKS: Mapping[str, Callable[[Node, Node], str | None]] = {"PyTorch": _in_torch, "Keras": _in_keras}
"""For each target, what makes a layer another than the owner of its weights; None if it can be written."""


def _reason(check: Callable[[Node, Node], str | None], node: Node, owner: Node) -> str | None:
    try:
        return check(node, owner)
    except ArchspecError:
        return None
