"""A Keras model from generated source, with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.ir.graph import Graph
from archspec.lower.keras.partition import plan
from archspec.lower.text.exec_source import execute

if TYPE_CHECKING:
    import keras


def build(source: str, graph: Graph, weights: Mapping[str, Any]) -> keras.Model:
    """Run the generated source of a graph and set the weights of its model.

    Args:
        source: the source that `keras.source.source` generated from the graph.
        graph: the network.
        weights: arrays by their keys in PyTorch's state dict.
    """
    model: keras.Model = execute(source)()
    model_plan = plan(graph)
    for path, layouts in model_plan.weights.items():
        arrays = [layout.array(weights[key]) for key, layout in layouts]
        model.get_layer(model_plan.layer_names[path]).set_weights(arrays)
    return model
