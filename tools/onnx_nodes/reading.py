"""What a node test is, what it is read as, and the table of readers.

A node test is one operator with its inputs and the outputs it must give. A reader says which layer computes the same.
Where ONNX works along its first axis, which is the batch here, one more axis is put before it.
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
    """No layer of ours computes this; the reason is worded so that tests with the same one can be counted."""


@dataclass(frozen=True)
class Example:
    """A node test: the attributes of its node, what goes in (None for an input left out), and what must come out."""

    operator: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array | None, ...]
    outputs: tuple[Array, ...]

    @property
    def x(self) -> Array:
        """The first input."""
        return self.needed(0)

    def needed(self, index: int) -> Array:
        """An input that is always there."""
        array = self.inputs[index]
        assert array is not None
        return array

    def optional(self, index: int) -> Array | None:
        """An input that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def numbers(self, index: int) -> list[int] | None:
        """An input that holds whole numbers, such as a shape; None if it is left out."""
        array = self.optional(index)
        return None if array is None else [int(number) for number in array.ravel()]


@dataclass(frozen=True)
class Layer:
    """A layer of ours: its op, what is written of it, what flows in and must flow out, and its weights.

    `output` is a mapping by the names of the ports where there are several outputs.
    """

    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array, ...]
    output: Array | Mapping[str, Array]
    weights: Mapping[str, Array] = field(default_factory=dict)

    @property
    def outputs(self) -> Mapping[str, Array]:
        """What must flow out, by the name of the value."""
        if isinstance(self.output, Mapping):
            return {f"layer.{port}": array for port, array in self.output.items()}
        return {"layer": self.output}


Reader = Callable[[Example], Layer]
READERS: dict[str, Reader] = {}
"""How each of ONNX's operators is read, by its name."""


def reads(*operators: str) -> Callable[[Reader], Reader]:
    """Register the reader of some operators."""

    def register(reader: Reader) -> Reader:
        assert not READERS.keys() & set(operators)
        READERS.update(dict.fromkeys(operators, reader))
        return reader

    return register


def read(example: Example) -> Layer:
    """The layer that should compute a node test.

    Raises:
        NotApplicable: there is none.
    """
    layer = READERS[example.operator](example)
    if len(example.outputs) > len(layer.outputs) and layer.kind != "layer_norm":  # statistics, which nothing reads
        raise NotApplicable("asks for a second output that only training needs")
    if any(array.dtype not in (np.float32, np.int64) for array in layer.inputs):
        raise NotApplicable("elements other than float32 and int64")
    if any(array.size == 0 for array in (*layer.inputs, *layer.outputs.values())):
        raise NotApplicable("a tensor without elements")
    return layer


def example(model: onnx.ModelProto, inputs: Sequence[Any], outputs: Sequence[Any]) -> Example | None:
    """A node test as its generator gives it; None if it is not one node that takes and gives tensors."""
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
    """An axis as we count it, and what makes room for it: nothing, or a batch of one before ONNX's first axis."""
    axis %= example.x.ndim
    return (axis, as_is) if axis else (1, in_a_batch_of_one)


def as_is(array: Array) -> Array:
    """The array: its first axis is the batch."""
    return array


def in_a_batch_of_one(array: Array) -> Array:
    """The array with one more axis before its first."""
    return array[None]


def plain(kind: str, example: Example, **attributes: Any) -> Layer:
    """A layer without weights whose inputs are all those of the node."""
    inputs = tuple(array for array in example.inputs if array is not None)
    room = as_is if all(array.ndim for array in inputs) else in_a_batch_of_one
    return Layer(kind, attributes, tuple(map(room, inputs)), room(example.outputs[0]))


def weights_of(weight: Array, bias: Array | None) -> dict[str, Array]:
    """Weight and bias by the names they have in our layers."""
    return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
