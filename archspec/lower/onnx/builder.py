"""The builder that rules write ONNX nodes with, and the plain data of an ONNX graph: nodes, values, constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.ir.graph import Node
from archspec.ir.types import Dim, DType, Shape, TensorType

AttributeValue = int | float | str | Sequence[int]
Array = NDArray[np.float32] | NDArray[np.int64]

OnnxShape = tuple[Dim | None, ...]
"""Each axis is a size, a symbol, or None if it is unknown."""

CONSTANTS = "const/"
"""The prefix of the names of constants. No layer can have such a name: names of layers contain no slash."""

_DROPPED_OR_MOVED = frozenset((
    "Add", "Cast", "Clip", "Concat", "Div", "Expand", "Flatten", "Gather", "Identity", "Max", "Mean", "Min", "Mul",
    "Reshape", "Resize", "Slice", "Split", "Squeeze", "Sub", "Sum", "Transpose", "Unsqueeze",
))  # fmt: skip
"""The operators that may do nothing, such as a product with 1, or that runtimes exchange with a Pad before them."""

_AXES_MOVED = frozenset(("Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"))
"""Those of them that can make channels positions."""

_SHORT = 12
"""The largest number of elements of a constant that is named by its elements."""


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """A value of an ONNX graph."""

    name: str
    shape: OnnxShape
    dtype: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One ONNX node."""

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, AttributeValue]
    outputs: tuple[ValueInfo, ...]


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A complete ONNX graph: inputs, outputs, nodes in order, the names of its weights, and its constants."""

    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    nodes: tuple[OnnxNode, ...]
    weights: frozenset[str]
    constants: Mapping[str, Array]


@dataclass(slots=True)
class GraphState:
    """The ONNX nodes written so far, in order, and the weights and constants they read.

    If the sizes are `dynamic`, rules avoid constants that depend on height and width.
    """

    opset: int
    dynamic: bool = False
    nodes: list[OnnxNode] = field(default_factory=list)
    weights: set[str] = field(default_factory=set)
    initializer_names: Mapping[str, str] = field(default_factory=dict)
    """The name of each weight in ONNX by its key in the state dict."""
    constants: dict[str, Array] = field(default_factory=dict)
    names: dict[tuple[str, Shape, bytes], str] = field(default_factory=dict)
    """The names of constants by dtype, shape and content."""
    padded: dict[str, bool] = field(default_factory=dict)
    """The values that a runtime may see as the output of a Pad, and whether axes after the channels are padded."""


@dataclass(frozen=True, slots=True)
class OnnxBuilder:
    """Writes the ONNX nodes of one layer.

    A rule ends with `result`, whose node and value have the layer's name, and returns the name that `result` returns.
    If the layer does nothing, the rule writes no node and returns the name of its input.
    """

    state: GraphState
    node: Node
    inputs: tuple[str, ...]

    @property
    def input(self) -> str:
        """The name of the first input."""
        return self.inputs[0]

    @property
    def input_type(self) -> TensorType:
        """The type of the first input."""
        return self.node.inputs[0].type

    @property
    def output_type(self) -> TensorType:
        """The type of the layer's first output."""
        return self.node.outputs[0].type

    @property
    def opset(self) -> int:
        return self.state.opset

    @property
    def dynamic(self) -> bool:
        """Whether the model also has to run at other heights and widths."""
        return self.state.dynamic

    def result(self, op: str, *inputs: str, **attributes: AttributeValue) -> str:
        """Write the node that computes the layer's output, under the layer's name."""
        (name,) = self.add_node(self.node.name, op, inputs, (self.output_info(0),), attributes)
        return name

    def step(self, label: str, op: str, *inputs: str, type: TensorType, **attributes: AttributeValue) -> str:
        """Write an intermediate node. The node and its value are named `layer/label`."""
        name = f"{self.node.name}/{label}"
        self.add_node(name, op, inputs, (ValueInfo(name, type.shape, type.dtype),), attributes)
        return name

    def unbatched_step(
        self,
        label: str,
        op: str,
        *inputs: str,
        shape: OnnxShape,
        dtype: DType = DType.FLOAT32,
        **attributes: AttributeValue,
    ) -> str:
        """Write an intermediate node whose value has no batch axis, such as a reshaped weight or a shape."""
        name = f"{self.node.name}/{label}"
        self.add_node(name, op, inputs, (ValueInfo(name, shape, dtype),), attributes)
        return name

    def is_padded(self, value: str) -> bool:
        """Whether a value comes from a Pad of positions, after which are only nodes that a runtime may drop or move."""
        return self.state.padded.get(value, False)

    def weights(self, *names: str) -> tuple[str, ...]:
        """The names of those of the named weights that the layer has: their keys in the state dict, almost always."""
        known = {weight.name: self.node.weight_key(weight) for weight in self.node.weights}
        keys = tuple(known[name] for name in names if name in known)
        self.state.weights.update(keys)
        return tuple(self.state.initializer_names.get(key, key) for key in keys)

    def integers(self, label: str, values: ArrayLike) -> str:
        """A constant of int64: a shape, axes, indices."""
        return self._constant(label, np.asarray(values, dtype=np.int64))

    def floats(self, label: str, values: ArrayLike) -> str:
        """A constant of float32."""
        return self._constant(label, np.asarray(values, dtype=np.float32))

    def constant(self, name: str) -> Array:
        """The elements of a constant, by the name that `integers` or `floats` returned."""
        return self.state.constants[name]

    def output_info(self, port: int) -> ValueInfo:
        """Name and type of one of the layer's outputs. If a weight has the layer's name, the output has another."""
        value = self.node.outputs[port]
        bare = any(weight.bare for weight in self.node.weights)
        return ValueInfo(f"{value.name}/value" if bare else value.name, value.type.shape, value.type.dtype)

    def add_node(
        self,
        name: str,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[ValueInfo],
        attributes: Mapping[str, AttributeValue],
    ) -> tuple[str, ...]:
        """Write a node with any number of outputs; returns their names."""
        self.state.nodes.append(OnnxNode(op, name, tuple(inputs), attributes, tuple(outputs)))
        if op == "Pad":
            pads = self.state.constants.get(inputs[1])
            padded = [pads is None or bool(pads.reshape(2, -1)[:, 2:].any())]
        else:
            known = [self.state.padded[value] for value in inputs if value in self.state.padded]
            padded = [any(known) or op in _AXES_MOVED] if known and op in _DROPPED_OR_MOVED else []
        self.state.padded.update((value.name, spatial) for value in outputs for spatial in padded)
        return tuple(value.name for value in outputs)

    def _constant(self, label: str, array: Array) -> str:
        """Store a constant once for all layers that read it.

        It is named by its elements if they are few, otherwise by the layer that reads it first.
        """
        content = array.dtype.str, array.shape, array.tobytes()
        known = self.state.names.get(content)
        if known is None:
            known = CONSTANTS + (_text(array) or f"{self.node.name}/{label}")
            self.state.names[content] = known
            self.state.constants[known] = array
        return known


def _text(array: Array) -> str | None:
    """A constant as text, if it is short or all its elements are equal: `6.0`, `[0,64,49]`, `1.0x512`."""
    if array.ndim == 0:
        return str(array[()])
    if array.ndim == 1 and array.size <= _SHORT:
        return "[" + ",".join(map(str, array)) + "]"
    if (array == array.flat[0]).all():
        return f"{array.flat[0]}x{'x'.join(map(str, array.shape))}"
    return None
