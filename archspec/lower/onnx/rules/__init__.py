"""The rules: how each op is written in ONNX, in one file per family of ops."""

from archspec.lower.onnx.rules import (
    activation,
    attention,
    conv,
    dropout,
    function,
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
from archspec.lower.onnx.rules.common import RULES, OnnxRule

__all__ = [
    "RULES",
    "OnnxRule",
    "activation",
    "attention",
    "conv",
    "dropout",
    "function",
    "linear",
    "merge",
    "norm",
    "parameters",
    "pool",
    "reduce",
    "reshape",
    "roi",
    "shuffle",
    "slicing",
    "spatial",
    "unpool",
]
