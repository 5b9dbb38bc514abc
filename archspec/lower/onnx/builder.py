"""What rules write with: the ONNX nodes of one layer after another, their types, and the constants they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.ir.graph import Node
from archspec.ir.types import Dim, DType, Shape, TensorType

Attribute = int | float | str | Sequence[int]
Array = NDArray[np.float32] | NDArray[np.int64]

Axes = tuple[Dim | None, ...]
"""An axis is a size, a symbol, or None where nothing is known of it."""

CONSTANTS = "const/"
"""What the names of constants begin with. No layer can be called so: the names of layers hold no slash."""

_SHORT = 12
"""How many numbers a constant may have to be named by them."""


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """A value of an ONNX graph."""

    name: str
    shape: Axes
    dtype: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class Step:
    """One ONNX node."""

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    outputs: tuple[ValueInfo, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """All that is written of a graph: inputs, outputs, the nodes between, and what they read."""

    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    steps: tuple[Step, ...]
    weights: frozenset[str]
    constants: Mapping[str, Array]


@dataclass(slots=True)
class Program:
    """The ONNX nodes of a graph so far, in order, and the weights and constants they read.

    If its sizes are to be `open`, rules write as much as they can without numbers of rows.
    """

    opset: int
    open: bool = False
    steps: list[Step] = field(default_factory=list)
    weights: set[str] = field(default_factory=set)
    constants: dict[str, Array] = field(default_factory=dict)
    names: dict[tuple[str, Shape, bytes], str] = field(default_factory=dict)
    """The names of constants, by what they hold."""


@dataclass(frozen=True, slots=True)
class Emit:
    """The place where the rule of one layer writes.

    A rule ends with `last`, whose node and values have the layer's name, and returns what that returns; or it writes
    nothing and returns the name of its input, if the layer does nothing.
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

    @property
    def open(self) -> bool:
        """Whether the network is to run at other sizes as well."""
        return self.program.open

    def last(self, op: str, *inputs: str, **attributes: Attribute) -> str:
        """The node that makes the layer's value, under the layer's name."""
        (made,) = self.write(self.node.name, op, inputs, (self.made(0),), attributes)
        return made

    def step(self, label: str, op: str, *inputs: str, type: TensorType, **attributes: Attribute) -> str:
        """A node on the way there, called `layer/label`, as is the value it makes."""
        name = f"{self.node.name}/{label}"
        (made,) = self.write(name, op, inputs, (ValueInfo(name, type.shape, type.dtype),), attributes)
        return made

    def form(
        self, label: str, op: str, *inputs: str, shape: Axes, dtype: DType = DType.FLOAT32, **attributes: Attribute
    ) -> str:
        """A node whose value has no batch axis: a weight in another form, a shape, or rows of many samples."""
        name = f"{self.node.name}/{label}"
        (made,) = self.write(name, op, inputs, (ValueInfo(name, shape, dtype),), attributes)
        return made

    def maker(self, value: str) -> str | None:
        """The operator that made a value; None of what flows in from outside."""
        made = (step.op for step in reversed(self.program.steps) if any(value == own.name for own in step.outputs))
        return next(made, None)

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

    def made(self, port: int) -> ValueInfo:
        """What the layer makes, by the number of the output. It gives way where a weight has the layer's name."""
        value = self.node.outputs[port]
        bare = any(weight.bare for weight in self.node.weights)
        return ValueInfo(f"{value.name}/value" if bare else value.name, value.type.shape, value.type.dtype)

    def write(
        self, name: str, op: str, inputs: Sequence[str], made: Sequence[ValueInfo], attributes: Mapping[str, Attribute]
    ) -> tuple[str, ...]:
        """A node that makes any values; their names."""
        self.program.steps.append(Step(op, name, tuple(inputs), attributes, tuple(made)))
        return tuple(value.name for value in made)

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
