"""Lowering to ONNX: the graph's inference part, written node by node without tracing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.lower.dynamic.dynamic_sizes import at_other_sizes
    from archspec.lower.onnx.model import OPSET, OPSETS, RUNTIME_OPSET, export
    from archspec.lower.onnx.model_file import save
    from archspec.lower.onnx.session import loaded

__all__ = [
    "OPSET",
    "OPSETS",
    "RUNTIME_OPSET",
    "at_other_sizes",
    "export",
    "loaded",
    "save",
]

if not TYPE_CHECKING:
    # The rules of plugins import the builder alone, and onnx only when a file is written.
    _MODULES = {
        "dynamic_sizes": ("at_other_sizes",),
        "model": ("OPSET", "OPSETS", "RUNTIME_OPSET", "export"),
        "model_file": ("save",),
        "session": ("loaded",),
    }
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'archspec.lower.onnx' has no attribute '{name}'")
        return getattr(import_module(f"archspec.lower.onnx.{_HOMES[name]}"), name)
