"""Networks made faster at inference: transforms of a graph and its weights that leave the outputs as they are.

They are small and run one after another; `TRANSFORMS` is the list. What a target does better by itself, such as fusing
a convolution with the activation after it, is left to the target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archspec.ir.graph import Graph
from archspec.ir.verifier import verify
from archspec.lower.optimize.dead_code import drop_identities, drop_training_only
from archspec.lower.optimize.fold_batch_norm import fold_batch_norm
from archspec.lower.optimize.merge_padding import merge_padding
from archspec.lower.optimize.renumber import close_gaps
from archspec.lower.optimize.rewriter import Weights

__all__ = ["TRANSFORMS", "Transform", "Weights", "optimized"]

Transform = Callable[[Graph, Weights], tuple[Graph, Weights]]
"""Takes a graph with its weights, and makes a graph with the same outputs at inference and the weights of that one."""

TRANSFORMS: Mapping[str, Transform] = {
    "drop_training_only": drop_training_only,
    "drop_inert": drop_identities,
    "merge_padding": merge_padding,
    "fold_batch_norm": fold_batch_norm,
    "close_gaps": close_gaps,
}
"""Every transform by its name, in the order they are applied: what one leaves out lets the next see neighbours."""


def optimized(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """A graph that computes what this one does at inference, with less to do, and its weights."""
    for name, transform in TRANSFORMS.items():
        before, (graph, weights) = graph, transform(graph, weights)
        if graph is not before:
            verify(graph, after=name)
    return graph, weights
