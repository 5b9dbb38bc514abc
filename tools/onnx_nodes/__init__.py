"""ONNX's node tests read as layers of ours: what each operator is called here, and which tests stay out and why."""

from tools.onnx_nodes import attention, layout, numbers, windows
from tools.onnx_nodes.reading import READERS, Array, Example, Layer, NotApplicable, example, read

__all__ = [
    "READERS",
    "Array",
    "Example",
    "Layer",
    "NotApplicable",
    "attention",
    "example",
    "layout",
    "numbers",
    "read",
    "windows",
]
