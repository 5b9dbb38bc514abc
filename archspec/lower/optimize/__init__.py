"""Optimizing for inference: transforms of a graph and its weights that preserve the outputs.

`TRANSFORMS` lists them in the order in which they run. Optimizations that targets do themselves, such as fusing a
convolution with the activation after it, are left to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archspec.ir.graph import Graph
from archspec.ir.verifier import verify
from archspec.lower.optimize.dead_code import drop_identities, drop_training_only
from archspec.lower.optimize.fold_batch_norm import fold_batch_norm
from archspec.lower.optimize.merge_padding import merge_padding
from archspec.lower.optimize.renumber import close_gaps
from archspec.lower.weights import Weights

__all__ = ["TRANSFORMS", "Transform", "optimized"]

Transform = Callable[[Graph, Weights], tuple[Graph, Weights]]
"""Takes a graph with its weights; returns a graph with the same outputs at inference, with its weights."""

TRANSFORMS: Mapping[str, Transform] = {
    "drop_training_only": drop_training_only,
    "drop_identities": drop_identities,
    "merge_padding": merge_padding,
    "fold_batch_norm": fold_batch_norm,
    "close_gaps": close_gaps,
}
"""The transforms by name, in the order in which they run: removing a layer makes its neighbours adjacent."""


def optimized(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """A graph with the same outputs at inference and fewer, simpler layers, with its weights."""
    for name, transform in TRANSFORMS.items():
        before, (graph, weights) = graph, transform(graph, weights)
        if graph is not before:
            verify(graph, after=name)
    return graph, weights
