"""Lowering to ONNX: the graph's inference part, written node by node without tracing."""

from archspec.lower.onnx.dynamic_sizes import no_other_size, other_sizes
from archspec.lower.onnx.model import OPSET, OPSETS, at_any_size, export
from archspec.lower.onnx.save import save
from archspec.lower.onnx.verify import OutputDifference, difference_error, differences, random_inputs

__all__ = [
    "OPSET",
    "OPSETS",
    "OutputDifference",
    "at_any_size",
    "difference_error",
    "differences",
    "export",
    "no_other_size",
    "other_sizes",
    "random_inputs",
    "save",
]
