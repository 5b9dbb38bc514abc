"""An ONNX model that does not hold the numbers of its initializers: they stay where they are until they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from archspec.lower.atomic_write import Piece
from archspec.lower.onnx.builder import Array

_BYTES = 2
"""The wire type of what has a length: https://protobuf.dev/programming-guides/encoding/."""


@dataclass(frozen=True, slots=True)
class LightModel:
    """A model and, beside it, the arrays that are its initializers: in ONNX's own classes each would be a copy.

    Attributes:
        rest: everything else.
        tensors: the initializers by name, in order, after those that `rest` may have.
    """

    rest: onnx.ModelProto
    tensors: Mapping[str, Array]

    def whole(self) -> onnx.ModelProto:
        """The model in ONNX's own classes, with a copy of every array."""
        model = copied(self.rest)
        for name, array in self.tensors.items():
            model.graph.initializer.append(header(name, array))
            model.graph.initializer[-1].raw_data = bytes(memory(array))
        return model

    def structure(self) -> onnx.ModelProto:
        """The model with its initializers as inputs: their names, types and shapes, and no numbers."""
        model = copied(self.rest)
        model.graph.input.extend(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in self.tensors.items()
        )
        return model

    def pieces(self) -> list[Piece]:
        """What a file of the whole model holds, in a row; arrays are not copied, if their elements lie in a row.

        A message is its fields in any order, and a field that is a message or bytes is a tag, its length and itself. So
        the initializers can follow what else there is of the graph, each as its head and the memory of its array.
        """
        model = copied(self.rest)
        model.ClearField("graph")
        graph: list[Piece] = [self.rest.graph.SerializeToString(deterministic=True)]
        for name, array in self.tensors.items():
            numbers = memory(array)
            head = header(name, array).SerializeToString(deterministic=True)
            head += _opening(onnx.TensorProto.RAW_DATA_FIELD_NUMBER, numbers.nbytes)
            graph += _opening(onnx.GraphProto.INITIALIZER_FIELD_NUMBER, len(head) + numbers.nbytes), head, numbers
        length = sum(memoryview(piece).nbytes for piece in graph)
        opening = _opening(onnx.ModelProto.GRAPH_FIELD_NUMBER, length)
        return [model.SerializeToString(deterministic=True), opening, *graph]


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model to change."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def header(name: str, array: Array) -> onnx.TensorProto:
    """What is said of an initializer beside its numbers."""
    return onnx.TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))


def memory(array: Array) -> memoryview:
    """Elements in a row, the lowest byte of each first, as ONNX stores them."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data


def _opening(field: int, length: int) -> bytes:
    """What stands before a field that has a length."""
    return _varint(field << 3 | _BYTES) + _varint(length)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
