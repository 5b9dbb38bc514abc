"""What rules write with: the ONNX nodes of one layer after another, their types, and the constants they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.ir.graph import Node
from archspec.ir.types import DType, Shape, TensorType

Attribute = int | float | str | Sequence[int]
Array = NDArray[np.float32] | NDArray[np.int64]

CONSTANTS = "const/"
"""What the names of constants begin with. No layer can be called so: the names of layers hold no slash."""

_SHORT = 12
"""How many numbers a constant may have to be named by them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One ONNX node, which makes one value."""

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    output: str
    shape: Shape
    dtype: DType


@dataclass(slots=True)
class Program:
    """The ONNX nodes of a graph so far, in order, and the weights and constants they read."""

    opset: int
    steps: list[Step] = field(default_factory=list)
    weights: set[str] = field(default_factory=set)
    constants: dict[str, Array] = field(default_factory=dict)
    names: dict[tuple[str, Shape, bytes], str] = field(default_factory=dict)
    """The names of constants, by what they hold."""


@dataclass(frozen=True, slots=True)
class Emit:
    """The place where the rule of one layer writes.

    A rule ends with `last`, whose node and value have the layer's name, and returns that name; or it writes nothing
    and returns the name of its input, if the layer does nothing.
    """

    program: Program
    node: Node
    inputs: tuple[str, ...]

    @property
    def input(self) -> str:
        """The name of the first value that flows in."""
        return self.inputs[0]

    @property
    def type(self) -> TensorType:
        """The type of the first value that flows in."""
        return self.node.inputs[0].type

    @property
    def output(self) -> TensorType:
        """The type of what the layer makes."""
        return self.node.outputs[0].type

    @property
    def opset(self) -> int:
        return self.program.opset

    def last(self, op: str, *inputs: str, **attributes: Attribute) -> str:
        """The node that makes the layer's value, under the layer's name."""
        (value,) = self.node.outputs
        return self._write(Step(op, self.node.name, inputs, attributes, value.name, value.type.shape, value.type.dtype))

    def step(self, label: str, op: str, *inputs: str, type: TensorType, **attributes: Attribute) -> str:
        """A node on the way there, called `layer/label`, as is the value it makes."""
        name = f"{self.node.name}/{label}"
        return self._write(Step(op, name, inputs, attributes, name, type.shape, type.dtype))

    def form(self, label: str, op: str, weight: str, *inputs: str, shape: Shape, **attributes: Attribute) -> str:
        """A node that gives a weight another form; its value has no batch axis."""
        name = f"{self.node.name}/{label}"
        return self._write(Step(op, name, (weight, *inputs), attributes, name, shape, DType.FLOAT32))

    def weights(self, *names: str) -> tuple[str, ...]:
        """The names in the state dict of those of these weights that the layer has."""
        known = {weight.name: self.node.weight_key(weight) for weight in self.node.weights}
        keys = tuple(known[name] for name in names if name in known)
        self.program.weights.update(keys)
        return keys

    def integers(self, label: str, values: ArrayLike) -> str:
        """A constant of int64: a shape, axes, indices."""
        return self._constant(label, np.asarray(values, dtype=np.int64))

    def numbers(self, label: str, values: ArrayLike) -> str:
        """A constant of float32."""
        return self._constant(label, np.asarray(values, dtype=np.float32))

    def _write(self, step: Step) -> str:
        self.program.steps.append(step)
        return step.output

    def _constant(self, label: str, array: Array) -> str:
        """A constant, once for all layers that read it: named by what it holds, or by its first use if that is much."""
        content = array.dtype.str, array.shape, array.tobytes()
        known = self.program.names.get(content)
        if known is None:
            known = CONSTANTS + (_text(array) or f"{self.node.name}/{label}")
            self.program.names[content] = known
            self.program.constants[known] = array
        return known


def _text(array: Array) -> str | None:
    """A constant as text, if it is short or the same all over: `6.0`, `[0,64,49]`, `1.0x512`."""
    if array.ndim == 0:
        return str(array[()])
    if array.ndim == 1 and array.size <= _SHORT:
        return "[" + ",".join(map(str, array)) + "]"
    if (array == array.flat[0]).all():
        return f"{array.flat[0]}x{'x'.join(map(str, array.shape))}"
    return None
