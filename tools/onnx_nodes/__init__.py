"""ONNX's node tests translated to layers: the op of each operator, and which tests are not applicable and why."""

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
