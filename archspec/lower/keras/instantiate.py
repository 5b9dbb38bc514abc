"""The model that source text makes, and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.ir.graph import Graph
from archspec.lower.keras.partition import plan
from archspec.lower.keras.source import function_name
from archspec.lower.text.exec_source import execute

if TYPE_CHECKING:
    import keras


def build(source: str, graph: Graph, weights: Mapping[str, Any]) -> keras.Model:
    """A new model of the text, with weights by their names in PyTorch's state dict."""
    name = function_name(graph)
    model: keras.Model = getattr(execute(source, f"keras_{name}"), name)()
    planned = plan(graph)
    for path, holds in planned.holds.items():
        arrays = [held.array(weights[key]) for key, held in holds]
        model.get_layer(planned.names[path]).set_weights(arrays)
    return model
