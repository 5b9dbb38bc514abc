"""How each op is written in ONNX, one file per family of ops. Importing this package registers all rules."""

from __future__ import annotations

from archspec.lower.onnx.rules import (  # noqa: F401 - each registers its rules
    activation,
    attention,
    conv,
    dropout,
    linear,
    merge,
    norm,
    parameters,
    pool,
    reduce,
    reshape,
    roi,
    shuffle,
    slicing,
    spatial,
    unpool,
)
from archspec.lower.onnx.rules.common import RULES

__all__ = ["RULES"]
