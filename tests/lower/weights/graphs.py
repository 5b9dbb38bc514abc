"""Graphs that tests of weights share."""

from __future__ import annotations

from typing import Any

import pytest

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import Initializer, TensorType, Weight
from archspec.ops.reshape import Identity

TEXT = """
archspec: 1
name: net
input: [3, 8, 8]
layers:
  - conv: {name: c1, channels: 4, kernel: 3}
  - batch_norm: {name: bn}
  - relu
  - conv: {name: c2, channels: 4, kernel: 3, padding: 1}
  - conv: {name: c3, channels: 4, kernel: 3, padding: 1, share: c2}
  - flatten
  - linear: {name: fc, features: 5}
"""


def one(shape: tuple[int, ...], kind: str, key: str = "layer", **options: Any) -> Graph:
    """A graph of one layer that owns one weight."""
    x = Value("x", TensorType((1,)))
    weight = Weight("weight", shape, Initializer(kind, options))
    node = Node(key, Identity(), (x,), (Value(key, x.type),), (weight,))
    return Graph("one", (x,), Scope("network", "", (node,), (x,), node.outputs), (Output("y", node.outputs[0]),))


def code(error: pytest.ExceptionInfo[ArchspecError]) -> str:
    """The code of the one diagnostic of an error."""
    (diagnostic,) = error.value.diagnostics
    return diagnostic.code
