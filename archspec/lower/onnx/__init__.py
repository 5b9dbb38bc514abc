"""Lowering to ONNX, straight from the graph: the inference part of the network, without tracing."""

from archspec.lower.onnx.dynamic_sizes import other_sizes, unopened
from archspec.lower.onnx.model import OPSET, OPSETS, at_any_size, export
from archspec.lower.onnx.save import save
from archspec.lower.onnx.verify import Difference, differences, random_inputs, refuse

__all__ = [
    "OPSET",
    "OPSETS",
    "Difference",
    "at_any_size",
    "differences",
    "export",
    "other_sizes",
    "random_inputs",
    "refuse",
    "save",
    "unopened",
]
