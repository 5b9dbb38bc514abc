"""archspec: a compiler for neural-network architectures.

    net = archspec.load("resnet18", classes=10)
    model = net.to_torch()

Importing the package imports none of its parts: each is imported when it is first used, as are torch, onnx and every
other library that a target needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.diagnostics import ArchspecError, Diagnostic
    from archspec.loading import check, load, parse
    from archspec.network import Network
    from archspec.passes.layer_table import Layer

__all__ = ["ArchspecError", "Diagnostic", "Layer", "Network", "check", "load", "parse"]

__version__ = "0.2.0"

_MODULES = {
    "ArchspecError": "archspec.diagnostics",
    "Diagnostic": "archspec.diagnostics",
    "Layer": "archspec.passes.layer_table",
    "Network": "archspec.network",
    "check": "archspec.loading",
    "load": "archspec.loading",
    "parse": "archspec.loading",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
