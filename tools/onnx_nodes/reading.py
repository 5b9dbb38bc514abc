"""Node tests, the layers they are translated to, and the registry of readers.

A node test is one operator with its inputs and expected outputs. A reader returns the layer that computes the same.
If an operator works along its first axis, which archspec reserves for the batch, a batch axis of size 1 is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

Array = NDArray[Any]


class NotApplicable(Exception):
    """No layer computes this. The message is the reason; tests are counted per reason."""


@dataclass(frozen=True)
class Example:
    """A node test: the attributes of its node, its inputs (None for an omitted one), and the expected outputs."""

    operator: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array | None, ...]
    outputs: tuple[Array, ...]

    @property
    def x(self) -> Array:
        """The first input."""
        return self.needed(0)

    def needed(self, index: int) -> Array:
        """A required input."""
        array = self.inputs[index]
        assert array is not None
        return array

    def optional(self, index: int) -> Array | None:
        """An optional input; None if it is omitted."""
        return self.inputs[index] if index < len(self.inputs) else None

    def numbers(self, index: int) -> list[int] | None:
        """An input of integers, such as a shape; None if it is omitted."""
        array = self.optional(index)
        return None if array is None else [int(number) for number in array.ravel()]


@dataclass(frozen=True)
class Layer:
    """A layer: its op, its attributes, its inputs and expected outputs, and its weights.

    If there are several outputs, `output` maps the names of the ports to them.
    """

    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array, ...]
    output: Array | Mapping[str, Array]
    weights: Mapping[str, Array] = field(default_factory=dict)

    @property
    def outputs(self) -> Mapping[str, Array]:
        """The expected outputs, by the name of the value."""
        if isinstance(self.output, Mapping):
            return {f"layer.{port}": array for port, array in self.output.items()}
        return {"layer": self.output}


Reader = Callable[[Example], Layer]
READERS: dict[str, Reader] = {}
"""The reader of each ONNX operator, by name."""


def reads(*operators: str) -> Callable[[Reader], Reader]:
    """Register a reader for these operators."""

    def register(reader: Reader) -> Reader:
        assert not READERS.keys() & set(operators)
        READERS.update(dict.fromkeys(operators, reader))
        return reader

    return register


def read(example: Example) -> Layer:
    """Translate a node test to the layer that should compute it.

    Raises:
        NotApplicable: there is no such layer.
    """
    layer = READERS[example.operator](example)
    if len(example.outputs) > len(layer.outputs) and layer.kind != "layer_norm":  # statistics, which nothing reads
        raise NotApplicable("expects an output that only training needs")
    if any(array.dtype not in (np.float32, np.int64) for array in layer.inputs):
        raise NotApplicable("elements other than float32 and int64")
    if any(array.size == 0 for array in (*layer.inputs, *layer.outputs.values())):
        raise NotApplicable("a tensor without elements")
    return layer


def example(model: onnx.ModelProto, inputs: Sequence[Any], outputs: Sequence[Any]) -> Example | None:
    """The node test of a test case; None if it is not a single node whose inputs and outputs are tensors."""
    if len(model.graph.node) != 1:
        return None
    (node,) = model.graph.node
    if not all(isinstance(value, np.ndarray | np.generic) for value in (*inputs, *outputs)):
        return None
    given = iter(inputs)
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    return Example(
        node.op_type,
        {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()},
        tuple(np.asarray(next(given)) if name else None for name in node.input),
        tuple(np.asarray(value) for value in outputs),
    )


# --- the batch ------------------------------------------------------------------------------------------------------


def along(example: Example, axis: int) -> tuple[int, Callable[[Array], Array]]:
    """An axis in archspec's numbering, and the function that adds the batch axis if it is needed."""
    axis %= example.x.ndim
    return (axis, as_is) if axis else (1, in_a_batch_of_one)


def as_is(array: Array) -> Array:
    """The array unchanged: its first axis is the batch."""
    return array


def in_a_batch_of_one(array: Array) -> Array:
    """The array with a batch axis of size 1."""
    return array[None]


def plain(kind: str, example: Example, **attributes: Any) -> Layer:
    """A layer without weights that has all inputs of the node."""
    inputs = tuple(array for array in example.inputs if array is not None)
    room = as_is if all(array.ndim for array in inputs) else in_a_batch_of_one
    return Layer(kind, attributes, tuple(map(room, inputs)), room(example.outputs[0]))


def weights_of(weight: Array, bias: Array | None) -> dict[str, Array]:
    """Weight and bias by their names in a layer."""
    return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
