"""The typed graph that every analysis reads and every target is lowered from.

These names are public. `GraphBuilder` builds a graph in Python, op by op; `verify` proves that one is valid; `to_text`
prints it; `archspec.Network.from_graph` makes a network of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.ir.builder import GraphBuilder
    from archspec.ir.graph import Graph, Node, Output, Scope, Value
    from archspec.ir.operation import Operation
    from archspec.ir.printer import to_text
    from archspec.ir.types import DType, Initializer, TensorType, Weight
    from archspec.ir.verifier import verify

__all__ = [
    "DType",
    "Graph",
    "GraphBuilder",
    "Initializer",
    "Node",
    "Operation",
    "Output",
    "Scope",
    "TensorType",
    "Value",
    "Weight",
    "to_text",
    "verify",
]

if not TYPE_CHECKING:
    # Most commands need neither the builder nor the verifier, so names are imported when they are first used.
    _MODULES = ("graph", "types", "operation", "printer", "verifier", "builder")

    def __getattr__(name: str) -> Any:
        if name in __all__:
            for module in _MODULES:
                found = vars(import_module(f"archspec.ir.{module}"))
                if name in found:
                    return found[name]
        raise AttributeError(f"module 'archspec.ir' has no attribute '{name}'")
