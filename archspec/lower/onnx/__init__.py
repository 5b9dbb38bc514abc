"""ONNX, straight from the graph: nothing is traced, and what the network does at inference is what is written."""

from archspec.lower.onnx.dynamic_sizes import other_sizes, unopened
from archspec.lower.onnx.model import OPSET, OPSETS, at_any_size, export
from archspec.lower.onnx.save import save
from archspec.lower.onnx.verify import Difference, differences, random_inputs, refuse
from archspec.runtime.session import Host, host

__all__ = [
    "OPSET",
    "OPSETS",
    "Difference",
    "Host",
    "at_any_size",
    "differences",
    "export",
    "host",
    "other_sizes",
    "random_inputs",
    "refuse",
    "save",
    "unopened",
]
