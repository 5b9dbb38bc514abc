"""Writing ONNX files: checked, complete or not at all, and two files if the weights are too large for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx

from archspec.diagnostics import fail
from archspec.lower import atomic_write
from archspec.lower.atomic_write import Piece
from archspec.lower.onnx.builder import Array
from archspec.lower.onnx.external_weights import OnnxModel, copy_of, header, memory

LIMIT = 2**31 - 2**26
"""The largest size of the weights, in bytes, in a single file: protobuf reads less than 2 GiB, nodes included."""

_PAGE = 4096
"""The alignment of weights in a file of their own, so that they can be mapped into memory."""

_SMALL = 1024
"""Tensors of at most this many bytes stay in the model file, where tools look for shapes and axes."""


Accept = Callable[[Path], None]
"""Inspects the written model and raises an error to reject it."""


def save(model: OnnxModel, path: str | Path, *, limit: int = LIMIT, accept: Accept | None = None) -> None:
    """Write a model to `path`; weights of more than `limit` bytes go to `path` + `.data` beside it.

    A link stays one: what is written is the file where it points, and the weights go beside that.

    Args:
        model: the model to write.
        path: the file.
        limit: the largest size of the weights, in bytes, in a single file.
        accept: inspects the model before it is moved to `path`.

    Raises:
        ArchspecError: the files cannot be written, or ONNX's checker rejects the model. Then no file has changed.
    """
    _check(model)
    path = Path(path)
    if sum(array.nbytes for array in model.tensors.values()) <= limit:
        atomic_write.write(path, lambda draft: _write_one(model, draft, accept))
        return
    path = atomic_write.target(path)
    data = path.with_name(path.name + ".data")
    atomic_write.write_together(
        [data, path], lambda folder: _write_two(model, folder / path.name, folder / data.name, accept)
    )


def _check(model: OnnxModel) -> None:
    """Run ONNX's checker on the structure: of the elements it checks only that their number matches the shape."""
    try:
        onnx.checker.check_model(model.structure())
    except onnx.checker.ValidationError as error:
        raise fail("invalid-graph", f"ONNX's checker rejects the model: {error}") from error


def _write_one(model: OnnxModel, draft: Path, accept: Accept | None) -> None:
    atomic_write.put(draft, model.pieces())
    if accept:
        accept(draft)


def _write_two(model: OnnxModel, draft: Path, data: Path, accept: Accept | None) -> None:
    """Write the model first: if the disk has no space for it, it has none for the weights."""
    large = {name: array for name, array in model.tensors.items() if array.nbytes > _SMALL}
    atomic_write.put(draft, _without(model, large, data.name).pieces())
    atomic_write.put(data, [piece for array in large.values() for piece in _padded_to_page(array)])
    if accept:
        accept(draft)


def _without(model: OnnxModel, tensors: Mapping[str, Array], location: str) -> OnnxModel:
    """The model with some tensors in the file `location`, in order, each at the start of a page."""
    proto, offset = copy_of(model.proto), 0
    for name, array in tensors.items():
        external = header(name, array)
        external.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": offset, "length": array.nbytes}.items():
            external.external_data.add(key=key, value=str(value))
        proto.graph.initializer.append(external)
        offset += array.nbytes + _padding(array)
    return OnnxModel(proto, {name: array for name, array in model.tensors.items() if name not in tensors})


def _padded_to_page(array: Array) -> tuple[Piece, Piece]:
    return memory(array), bytes(_padding(array))


def _padding(array: Array) -> int:
    """The number of bytes from the end of an array that starts a page to the next page."""
    return -array.nbytes % _PAGE
