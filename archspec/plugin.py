"""The public names for plugins: the base class of ops, the types of their facts, and what rules are written with.

`archspec/PLUGINS.md` shows how to use them. The types of graphs (`TensorType`, `Weight`, `Node`, ...) are in
`archspec.ir`. A name is imported when it is first used, so a check of a spec imports no target.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from archspec.ir.graph import Node
    from archspec.ir.operation import Cost, OpError
    from archspec.ir.window import NOT_READ, Footprint, Window
    from archspec.lower.keras.rules.common import LayerCall, WeightLayout
    from archspec.lower.onnx.builder import OnnxBuilder
    from archspec.lower.rule_table import unsupported
    from archspec.lower.text.code_model import call, function
    from archspec.lower.torch.module_call import ModuleCall
    from archspec.ops import footprint as windows
    from archspec.ops.attribute_types import Axes, Count, Flag, Natural, Number, PerAxis, Positive, Whole
    from archspec.ops.base import Op, along, need_axis, need_float, need_spatial, per_axis, pointwise

    TorchRule = Callable[[Any, Node], ModuleCall]
    OnnxRule = Callable[[Any, OnnxBuilder], str | tuple[str, ...]]
    KerasRule = Callable[[Any, Node], LayerCall]

__all__ = [
    "NOT_READ",
    "Axes",
    "Cost",
    "Count",
    "Flag",
    "Footprint",
    "KerasRule",
    "LayerCall",
    "ModuleCall",
    "Natural",
    "Number",
    "OnnxBuilder",
    "OnnxRule",
    "Op",
    "OpError",
    "PerAxis",
    "Positive",
    "TorchRule",
    "WeightLayout",
    "Whole",
    "Window",
    "along",
    "call",
    "function",
    "need_axis",
    "need_float",
    "need_spatial",
    "per_axis",
    "pointwise",
    "unsupported",
    "windows",
]

if not TYPE_CHECKING:
    _MODULES = {
        "archspec.ir.operation": ("Cost", "OpError"),
        "archspec.ir.window": ("NOT_READ", "Footprint", "Window"),
        "archspec.lower.keras.rules.common": ("LayerCall", "WeightLayout"),
        "archspec.lower.onnx.builder": ("OnnxBuilder",),
        "archspec.lower.rule_table": ("unsupported",),
        "archspec.lower.text.code_model": ("call", "function"),
        "archspec.lower.torch.module_call": ("ModuleCall",),
        "archspec.ops.attribute_types": (
            "Axes", "Count", "Flag", "Natural", "Number", "PerAxis", "Positive", "Whole",
        ),
        "archspec.ops.base": ("Op", "along", "need_axis", "need_float", "need_spatial", "per_axis", "pointwise"),
    }  # fmt: skip
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            value = getattr(import_module(_HOMES[name]), name)
        elif name == "windows":
            value = import_module("archspec.ops.footprint")
        elif name in __all__:  # the signature of a rule, which is for type checkers
            value = Any
        else:
            raise AttributeError(f"module 'archspec.plugin' has no attribute '{name}'")
        globals()[name] = value
        return value
