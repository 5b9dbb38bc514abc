"""The builder that rules write ONNX nodes with, and the plain data of an ONNX graph: nodes, values, constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.ir.graph import Node
from archspec.ir.types import Dim, DType, Shape, TensorType
from archspec.lower.dynamic.symbolic_size import Atom, Axis, Quotient, Size, Smallest, same_size

AttributeValue = int | float | str | Sequence[int] | Sequence[str]
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
    dtype: DType | None = DType.FLOAT32
    """None for truth values."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One ONNX node: an operator, or a call of a function of the model.

    `layer` is the name of the layer that it is part of; empty if it is part of none.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, AttributeValue]
    outputs: tuple[ValueInfo, ...]
    layer: str = ""
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class OnnxFunction:
    """A function of a model: a block, whose weights are among its inputs."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A complete ONNX graph: inputs, outputs, nodes in order, the names of its weights, and its constants.

    Each of its `functions` comes after those that it calls.
    """

    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    nodes: tuple[OnnxNode, ...]
    weights: frozenset[str]
    constants: Mapping[str, Array]
    functions: tuple[OnnxFunction, ...] = ()


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
    sizes: dict[Size, str] = field(default_factory=dict)
    """The values that hold a size, as a vector of one element."""
    size_nodes: int = 0
    padded: dict[str, bool] = field(default_factory=dict)
    """The values that a runtime may see as the output of a Pad, and whether axes after the channels are padded."""

    def integers(self, values: ArrayLike, source: str) -> str:
        """A constant of int64; if it is too long to be named by its elements, `source` is part of its name."""
        return self._constant(np.asarray(values, dtype=np.int64), source)

    def floats(self, values: ArrayLike, source: str) -> str:
        """A constant of float32, named as `integers` does."""
        return self._constant(np.asarray(values, dtype=np.float32), source)

    def _constant(self, array: Array, source: str) -> str:
        """Store a constant once for all layers that read it.

        It is named by its elements if they are few, otherwise by what reads it first.
        """
        content = array.dtype.str, array.shape, array.tobytes()
        known = self.names.get(content)
        if known is None:
            known = CONSTANTS + (_text(array) or source)
            self.names[content] = known
            self.constants[known] = array
        return known


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

    def truth(self, label: str, op: str, *inputs: str, type: TensorType, **attributes: AttributeValue) -> str:
        """Write an intermediate node whose value is true or false, of these sizes."""
        name = f"{self.node.name}/{label}"
        self.add_node(name, op, inputs, (ValueInfo(name, type.shape, None),), attributes)
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

    def integers(self, label: str, values: ArrayLike | Sequence[int]) -> str:
        """A constant of int64: a shape, axes, indices. If a `Size` is in it, it is computed when the model runs."""
        if isinstance(values, Sequence) and any(isinstance(value, Size) for value in values):
            return self._computed_integers(label, values)
        return self.state.integers(values, f"{self.node.name}/{label}")

    def shape(self, label: str, source: TensorType, sizes: Sequence[int]) -> str:
        """The shape that a Reshape gives to a value of type `source`: the batch, then `sizes`.

        A dynamic size is copied if the same axis of the value has it. If it is the only other one, Reshape infers it.
        """
        if not any(isinstance(size, Size) for size in sizes):
            return self.integers(label, (0, *sizes))
        pairs = zip_longest(sizes, source.sizes[: len(sizes)])
        numbers = [0 if isinstance(size, Size) and same_size(size, own) else size for size, own in pairs]
        dynamic = [i for i, size in enumerate(numbers) if isinstance(size, Size)]
        if len(dynamic) == 1:
            numbers[dynamic[0]] = -1
        return self.integers(label, (0, *numbers))

    def exact_shape(self, sizes: Sequence[int]) -> str:
        """The batch, then `sizes`, for a Reshape that has to fail for a value of other sizes.

        If one size of a Concat is unknown, ONNX Runtime lets Reshape infer it. A Max after the Concat prevents that.
        """
        shape = self.integers("sizes", (0, *sizes))
        if not any(isinstance(size, Size) for size in sizes):
            return shape
        return self._size_step("Max", shape, self.integers("none", [0]), length=1 + len(sizes))

    def _computed_integers(self, label: str, values: Sequence[Any]) -> str:
        """A vector of int64 with sizes in it."""
        parts: list[str] = []
        numbers: list[int] = []
        for value in values:
            if isinstance(value, Size):
                parts += [self.integers(label, numbers)] if numbers else []
                parts.append(self.size(value))
                numbers = []
            else:
                numbers.append(value)
        parts += [self.integers(label, numbers)] if numbers else []
        if len(parts) == 1:
            return parts[0]
        return self._size_step("Concat", *parts, length=len(values), axis=0)

    def size(self, size: Size | int) -> str:
        """A size as a vector of one element: read from an input of the layer, or computed from those of the network."""
        if not isinstance(size, Size):
            return self.integers("size", [size])
        if size not in self.state.sizes:
            self.state.sizes[size] = self._read_size(size) or self._sum(size)
        return self.state.sizes[size]

    def _read_size(self, size: Size) -> str | None:
        for name, value in zip(self.inputs, self.node.inputs, strict=True):
            for axis, own in enumerate(value.type.sizes, start=1):
                if same_size(own, size):
                    return self._size_step("Shape", name, start=axis, end=axis + 1)
        return None

    def _sum(self, size: Size) -> str:
        total: str | None = None
        for monomial, factor in size.terms.items():
            product: str | None = None
            for atom in monomial:
                value = self._atom(atom)
                product = value if product is None else self._size_step("Mul", product, value)
            number = self.integers("factor", [factor])
            if product is None:
                product = number
            elif factor != 1:
                product = self._size_step("Mul", product, number)
            total = product if total is None else self._size_step("Add", total, product)
        assert total is not None
        return total

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Axis():
                return self._size_step("Shape", atom.value, start=atom.axis, end=atom.axis + 1)
            case Quotient():
                dividend, divisor = self.size(atom.dividend), self.integers("divisor", [atom.divisor])
                if atom.dividend.may_be_negative:  # Div rounds toward 0
                    dividend = self._size_step("Sub", dividend, self._size_step("Mod", dividend, divisor))
                return self._size_step("Div", dividend, divisor)
            case Smallest():
                first, *others = sorted(map(self.size, atom.choices))
                return self._size_step("Min", first, *others)

    def _size_step(self, op: str, *inputs: str, length: int = 1, **attributes: AttributeValue) -> str:
        """Write a node that computes sizes; it is numbered among those of the graph."""
        self.state.size_nodes += 1
        label = f"size{self.state.size_nodes}"
        return self.unbatched_step(label, op, *inputs, shape=(length,), dtype=DType.INT64, **attributes)

    def floats(self, label: str, values: ArrayLike) -> str:
        """A constant of float32."""
        return self.state.floats(values, f"{self.node.name}/{label}")

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
        self.state.nodes.append(OnnxNode(op, name, tuple(inputs), attributes, tuple(outputs), self.node.name))
        if op == "Pad":
            pads = self.state.constants.get(inputs[1])
            padded = [pads is None or bool(pads.reshape(2, -1)[:, 2:].any())]
        else:
            known = [self.state.padded[value] for value in inputs if value in self.state.padded]
            padded = [any(known) or op in _AXES_MOVED] if known and op in _DROPPED_OR_MOVED else []
        self.state.padded.update((value.name, spatial) for value in outputs for spatial in padded)
        return tuple(value.name for value in outputs)


def _text(array: Array) -> str | None:
    """A constant as text, if it is short or all its elements are equal: `6.0`, `[0,64,49]`, `1.0x512`."""
    if array.ndim == 0:
        return str(array[()])
    if array.ndim == 1 and array.size <= _SHORT:
        return "[" + ",".join(map(str, array)) + "]"
    if (array == array.flat[0]).all():
        return f"{array.flat[0]}x{'x'.join(map(str, array.shape))}"
    return None
