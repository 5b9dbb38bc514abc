"""ONNX files: one, or two where the weights are too large for one; checked, and written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import onnx
from onnx import helper

from archspec.diagnostics import fail
from archspec.lower import files

LIMIT = 2**31 - 2**26
"""Bytes of weights in a model of one file: protobuf reads less than 2 GiB, and the nodes need some of it."""

_PAGE = 4096
"""Weights in a file of their own begin at multiples of this, so that they can be mapped into memory."""

_SMALL = 1024
"""Bytes up to which a tensor stays in the model, where tools look for shapes and axes."""


Accept = Callable[[Path], None]
"""Looks at a model as it is stored, and raises an error if it is not to be put in place."""


def save(model: onnx.ModelProto, path: str | Path, *, limit: int = LIMIT, accept: Accept | None = None) -> None:
    """Write a model to `path`; with more than `limit` bytes of weights, those to `path` + `.data` beside it.

    Args:
        model: what to write.
        path: the file.
        limit: bytes of weights that one file may hold.
        accept: looks at the model before it is put in place.

    Raises:
        ArchspecError: the files cannot be written, or ONNX's checker refuses the model. Then nothing new is there.
    """
    path = Path(path)
    if sum(map(_size, model.graph.initializer)) <= limit:
        files.write(path, lambda draft: _put(model, draft, accept))
        return
    data = path.with_name(path.name + ".data")
    files.write_together(
        [data, path], lambda folder: _put_in_two(model, folder / path.name, folder / data.name, accept)
    )


def _put(model: onnx.ModelProto, draft: Path, accept: Accept | None) -> None:
    data = model.SerializeToString(deterministic=True)
    _check(data)
    draft.write_bytes(data)
    if accept:
        accept(draft)


def _put_in_two(model: onnx.ModelProto, draft: Path, data: Path, accept: Accept | None) -> None:
    """The model first: where its few bytes do not find room, there is no room for the weights."""
    draft.write_bytes(_without_weights(model, data.name).SerializeToString(deterministic=True))
    _put_weights(model, data)
    _check(str(draft))
    if accept:
        accept(draft)


def _check(model: bytes | str) -> None:
    """Check a model as it is stored, or one in a file, which the weights beside it are found from."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise fail("invalid-graph", f"ONNX's checker refuses the model: {error}") from error


def _without_weights(model: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """The model with its large tensors in a file called `location`, in order, each at the start of a page."""
    slim = onnx.ModelProto(ir_version=model.ir_version, producer_name=model.producer_name)
    slim.opset_import.extend(model.opset_import)
    slim.metadata_props.extend(model.metadata_props)
    slim.doc_string = model.doc_string
    slim.graph.name = model.graph.name
    slim.graph.node.extend(model.graph.node)
    slim.graph.input.extend(model.graph.input)
    slim.graph.output.extend(model.graph.output)
    slim.graph.value_info.extend(model.graph.value_info)
    offset = 0
    for tensor in model.graph.initializer:
        size = _size(tensor)
        if size <= _SMALL:
            slim.graph.initializer.append(tensor)
            continue
        outside = slim.graph.initializer.add(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
        outside.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": offset, "length": size}.items():
            outside.external_data.add(key=key, value=str(value))
        offset += _paged(size)
    return slim


def _put_weights(model: onnx.ModelProto, place: Path) -> None:
    with place.open("wb") as file:
        for tensor in model.graph.initializer:
            size = _size(tensor)
            if size > _SMALL:
                file.write(tensor.raw_data)
                file.write(bytes(_paged(size) - size))


def _paged(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _size(tensor: onnx.TensorProto) -> int:
    """Bytes of a tensor's elements, without copying them."""
    element = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return int(prod(tensor.dims) * element.itemsize)
