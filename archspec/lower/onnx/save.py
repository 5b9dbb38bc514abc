"""ONNX files: one, or two where the weights are too large for one; checked, and written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx

from archspec.diagnostics import fail
from archspec.lower import atomic_write
from archspec.lower.atomic_write import Piece
from archspec.lower.onnx.builder import Array
from archspec.lower.onnx.external_weights import LightModel, copied, header, memory

LIMIT = 2**31 - 2**26
"""Bytes of weights in a model of one file: protobuf reads less than 2 GiB, and the nodes need some of it."""

_PAGE = 4096
"""Weights in a file of their own begin at multiples of this, so that they can be mapped into memory."""

_SMALL = 1024
"""Bytes up to which a tensor stays in the model, where tools look for shapes and axes."""


Accept = Callable[[Path], None]
"""Looks at a model as it is stored, and raises an error if it is not to be put in place."""


def save(model: LightModel, path: str | Path, *, limit: int = LIMIT, accept: Accept | None = None) -> None:
    """Write a model to `path`; with more than `limit` bytes of weights, those to `path` + `.data` beside it.

    Args:
        model: what to write.
        path: the file.
        limit: bytes of weights that one file may hold.
        accept: looks at the model before it is put in place.

    Raises:
        ArchspecError: the files cannot be written, or ONNX's checker refuses the model. Then nothing new is there.
    """
    _check(model)
    path = Path(path)
    if sum(array.nbytes for array in model.tensors.values()) <= limit:
        atomic_write.write(path, lambda draft: _put(model, draft, accept))
        return
    data = path.with_name(path.name + ".data")
    atomic_write.write_together(
        [data, path], lambda folder: _put_in_two(model, folder / path.name, folder / data.name, accept)
    )


def _check(model: LightModel) -> None:
    """Check a model by its structure: all the checker asks beside it is that numbers are as many as shapes say."""
    try:
        onnx.checker.check_model(model.structure())
    except onnx.checker.ValidationError as error:
        raise fail("invalid-graph", f"ONNX's checker refuses the model: {error}") from error


def _put(model: LightModel, draft: Path, accept: Accept | None) -> None:
    atomic_write.put(draft, model.pieces())
    if accept:
        accept(draft)


def _put_in_two(model: LightModel, draft: Path, data: Path, accept: Accept | None) -> None:
    """The model first: where its few bytes do not find room, there is no room for the weights."""
    large = {name: array for name, array in model.tensors.items() if array.nbytes > _SMALL}
    atomic_write.put(draft, _without(model, large, data.name).pieces())
    atomic_write.put(data, [piece for array in large.values() for piece in _pages(array)])
    if accept:
        accept(draft)


def _without(model: LightModel, tensors: Mapping[str, Array], location: str) -> LightModel:
    """The model with some tensors in a file called `location`, in order, each at the start of a page."""
    rest, offset = copied(model.rest), 0
    for name, array in tensors.items():
        outside = header(name, array)
        outside.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": offset, "length": array.nbytes}.items():
            outside.external_data.add(key=key, value=str(value))
        rest.graph.initializer.append(outside)
        offset += array.nbytes + _gap(array)
    return LightModel(rest, {name: array for name, array in model.tensors.items() if name not in tensors})


def _pages(array: Array) -> tuple[Piece, Piece]:
    return memory(array), bytes(_gap(array))


def _gap(array: Array) -> int:
    """Bytes from the end of an array that starts a page to the next page."""
    return -array.nbytes % _PAGE
