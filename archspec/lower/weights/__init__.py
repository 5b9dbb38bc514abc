"""Weights without a framework: initial values, files, and matching arrays by name to a network's state dict."""

from archspec.lower.optional_deps import require

for _library in ("numpy", "safetensors"):
    require(_library, "the handling of weights")

from archspec.lower.weights.initializers import initial  # noqa: E402
from archspec.lower.weights.loading import Weights, examined, fitted, from_module, given, loaded, to_file  # noqa: E402
from archspec.lower.weights.report import WeightsReport  # noqa: E402

__all__ = [
    "Weights",
    "WeightsReport",
    "examined",
    "fitted",
    "from_module",
    "given",
    "initial",
    "loaded",
    "to_file",
]
