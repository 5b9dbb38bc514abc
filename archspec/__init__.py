"""archspec: a compiler for neural-network architectures.

    net = archspec.load("resnet18", classes=10)
    model = net.to_torch()

Importing the package imports neither torch nor onnx; what a target needs is imported when it is asked for.
"""

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.loading import check, load, parse
from archspec.network import Network
from archspec.passes.layer_table import Layer

__all__ = ["ArchspecError", "Diagnostic", "Layer", "Network", "check", "load", "parse"]

__version__ = "0.1.0"
