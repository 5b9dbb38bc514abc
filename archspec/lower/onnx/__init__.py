"""ONNX, straight from the graph: nothing is traced, and what the network does at inference is what is written."""

from archspec.lower.onnx.model import OPSET, OPSETS, export
from archspec.lower.onnx.storage import save

__all__ = ["OPSET", "OPSETS", "export", "save"]
