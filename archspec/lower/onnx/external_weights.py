"""An ONNX model without the elements of its initializers: arrays are not copied until the model is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from archspec.lower.atomic_write import Piece
from archspec.lower.onnx.builder import Array

_LENGTH_DELIMITED = 2
"""The wire type of fields with a length: https://protobuf.dev/programming-guides/encoding/."""


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A model and, beside it, the arrays of its initializers, each of which would be a copy in a `ModelProto`.

    Attributes:
        proto: the model without these initializers.
        tensors: the initializers by name, in order, after those that `proto` may have.
    """

    proto: onnx.ModelProto
    tensors: Mapping[str, Array]

    def to_proto(self) -> onnx.ModelProto:
        """The complete model as a `ModelProto`, with a copy of every array."""
        model = copy_of(self.proto)
        model.graph.initializer.extend(complete(name, array) for name, array in self.tensors.items())
        return model

    def structure(self) -> onnx.ModelProto:
        """The model with its initializers as inputs: names, types and shapes, without elements."""
        model = copy_of(self.proto)
        model.graph.input.extend(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in self.tensors.items()
        )
        return model

    def pieces(self) -> list[Piece]:
        """The bytes of the complete model's file, in order. Contiguous arrays are not copied.

        The fields of a protobuf message may be in any order, and a field that is a message or bytes is a tag, its
        length and its content. So the initializers follow the rest of the graph, each as a header and the memory of its
        array.
        """
        model = copy_of(self.proto)
        model.ClearField("graph")
        graph: list[Piece] = [self.proto.graph.SerializeToString(deterministic=True)]
        for name, array in self.tensors.items():
            elements = memory(array)
            head = header(name, array).SerializeToString(deterministic=True)
            head += _tag_and_length(onnx.TensorProto.RAW_DATA_FIELD_NUMBER, elements.nbytes)
            start = _tag_and_length(onnx.GraphProto.INITIALIZER_FIELD_NUMBER, len(head) + elements.nbytes)
            graph += start, head, elements
        length = sum(memoryview(piece).nbytes for piece in graph)
        start = _tag_and_length(onnx.ModelProto.GRAPH_FIELD_NUMBER, length)
        return [model.SerializeToString(deterministic=True), start, *graph]


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def header(name: str, array: Array) -> onnx.TensorProto:
    """An initializer without its elements: name, shape and type."""
    return onnx.TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))


def complete(name: str, array: Array) -> onnx.TensorProto:
    """A tensor with a copy of its elements."""
    tensor = header(name, array)
    tensor.raw_data = bytes(memory(array))
    return tensor


def memory(array: Array) -> memoryview:
    """The elements in ONNX's order: contiguous and little-endian."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data


def _tag_and_length(field: int, length: int) -> bytes:
    """The bytes before the content of a field that has a length."""
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(number: int) -> bytes:
    """Seven bits per byte, the lowest first; the eighth bit is set if more bytes follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
