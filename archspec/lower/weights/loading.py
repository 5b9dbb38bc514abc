"""Loads weights from a module, a mapping or a file, compares them with a graph and converts their element types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from archspec.diagnostics import fail
from archspec.file_kinds import irregular
from archspec.ir.graph import Graph
from archspec.ir.types import DType
from archspec.lower import atomic_write
from archspec.lower.weights import checkpoint, safetensors_file
from archspec.lower.weights.report import Form, WeightsReport, report
from archspec.lower.weights.state_dict import RenameRule, named, unwrapped

Weights = Mapping[str, NDArray[Any]]
"""Arrays by their names in the state dict.

Arrays of a module or a file share its memory and change with it: copy them to keep them.
"""


def fitted(graph: Graph, weights: Mapping[str, Any], origin: str = "the given weights") -> Weights:
    """The weights in the order of the graph, converted to its element types.

    Floating-point numbers of another precision are converted. A missing `num_batches_tracked` is 0.

    Args:
        graph: the network that the weights are for.
        weights: arrays by their names in the state dict.
        origin: how diagnostics refer to the weights.

    Raises:
        ArchspecError: weights are missing or unexpected, or have another shape or kind of number; one diagnostic lists
            them.
    """
    return _taken(graph, weights, report(graph, _forms(weights), origin), strict=True)


def given(graph: Graph, weights: object, *, rename: Sequence[RenameRule] = ()) -> Weights:
    """The weights of a torch module, of a state dict of tensors or arrays, or of the file at a path.

    Raises:
        ArchspecError: the weights do not fit the graph, or the file cannot be read, or is neither a safetensors file
            nor one of `torch.save`.
        TypeError: the argument is none of these.
    """
    return loaded(graph, weights, rename=rename)[0]


def loaded(
    graph: Graph, weights: object, *, rename: Sequence[RenameRule] = (), strict: bool = True, advice: str | None = None
) -> tuple[Weights, WeightsReport]:
    """As `given`, with the report on the weights; if not `strict`, only the weights that fit.

    `advice` replaces the suggestion of the report if the weights do not fit.

    Raises:
        ArchspecError: the weights do not fit the graph, or none of them does; or the file cannot be read.
        TypeError: the argument holds no weights.
    """
    entries, found = _matched(graph, weights, rename, values=True)
    return _taken(graph, entries, found, strict=strict, advice=advice), found


def examined(graph: Graph, weights: object, *, rename: Sequence[RenameRule] = ()) -> WeightsReport:
    """The report on weights, without reading their values: of a safetensors file, only the header is read.

    Raises:
        ArchspecError: the file cannot be read.
        TypeError: the argument holds no weights.
    """
    return _matched(graph, weights, rename, values=False)[1]


def from_module(graph: Graph, module: Any) -> Weights:
    """The weights in the state dict of a torch module.

    Raises:
        ArchspecError: the weights do not fit the graph, or are on the device `meta`, which holds no values.
    """
    return given(graph, module)


def to_file(weights: Weights, path: str | Path) -> None:
    """Write weights as a safetensors file, atomically.

    Raises:
        ArchspecError: the file cannot be written.
    """
    arrays = {key: np.asarray(array, order="C") for key, array in weights.items()}
    atomic_write.write_bytes(Path(path), safetensors.numpy.save(arrays))


def _matched(
    graph: Graph, weights: object, rename: Sequence[RenameRule], *, values: bool
) -> tuple[Mapping[str, Any], WeightsReport]:
    """The entries under the names of the graph, and the report on them."""
    stored, origin = _stored(weights, values=values)
    entries, wrapping = unwrapped(stored)
    found = named(entries, {key for key, _ in graph.weights()}, rename)
    stripped = (*wrapping, *found.stripped)
    return found.entries, report(graph, _forms(found.entries), origin, renamed=found.renamed, stripped=stripped)


def _stored(weights: object, *, values: bool) -> tuple[Mapping[Any, Any], str]:
    """The weights as a mapping, and how diagnostics refer to them."""
    if isinstance(weights, str | Path):
        return _read(Path(weights), values=values), f"the weights in {weights}"
    if isinstance(weights, Mapping):
        return weights, "the given weights"
    if hasattr(weights, "state_dict") and not isinstance(weights, type):
        return weights.state_dict(), "the module's weights"
    raise TypeError(f"weights must be a module, a state dict or a file, not {type(weights).__name__}")


def _read(path: Path, *, values: bool) -> Mapping[Any, Any]:
    if kind := irregular(path):
        raise fail("unreadable-file", f"cannot read {path}: it is {kind}, not a file")
    try:
        with path.open("rb") as file:
            is_torch = checkpoint.is_checkpoint(path, file.read(9))
        return checkpoint.read(path, "cpu" if values else "meta") if is_torch else safetensors_file.read(path)
    except OSError as error:
        raise fail("unreadable-file", f"cannot read {path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise fail("wrong-weights", f"{path} is not a complete safetensors file: {error}") from error


def _taken(
    graph: Graph, entries: Mapping[str, Any], found: WeightsReport, *, strict: bool, advice: str | None = None
) -> Weights:
    """The arrays of the weights that fit, in the order of the graph.

    Raises:
        ArchspecError: none of them fits; or not all, if `strict`.
    """
    if not found.complete and (strict or not found.matched):
        raise found.error(advice)
    fitting, absent = {*found.matched}, {*found.counters}
    return {
        key: _converted(key, _array(key, entries[key]) if key in fitting else np.array(0), weight.dtype)
        for key, weight in graph.weights()
        if key in fitting or key in absent
    }


def _converted(key: str, array: NDArray[Any], dtype: DType) -> NDArray[Any]:
    """An array converted to the element type of its weight.

    Raises:
        ArchspecError: numbers are too large for that type and would become infinite.
    """
    try:
        with np.errstate(over="raise"):
            return np.asarray(array, dtype=dtype.value)
    except FloatingPointError as error:
        largest = np.abs(array[np.isfinite(array)]).max()
        message = f"'{key}' holds numbers up to {largest:.3g}; the largest {dtype} is {np.finfo(dtype.value).max:.3g}"
        raise fail("wrong-weights", message) from error


def _forms(entries: Mapping[str, Any]) -> dict[str, Form]:
    """The shapes and element types of arrays, torch tensors or tensors in files."""
    return {key: Form(tuple(entry.shape), _dtype(entry.dtype)) for key, entry in entries.items()}


@cache
def _dtype(dtype: Any) -> str:
    """The name of an element type of NumPy (slow to get, hence the cache), of torch or of a file."""
    return getattr(dtype, "name", None) or str(dtype).removeprefix("torch.")


def _array(key: str, entry: Any) -> NDArray[Any]:
    """An entry of a state dict as an array, without importing torch.

    NumPy lacks some of torch's floating-point types of fewer than 4 bytes: all of those are converted to float32.
    """
    if isinstance(entry, safetensors_file.Stored):
        return entry.array()
    if not hasattr(entry, "detach"):
        return np.asarray(entry)
    if entry.is_meta:
        raise fail("wrong-weights", f"'{key}' is on the device 'meta' and holds no values")
    short = entry.is_floating_point() and entry.element_size() < 4
    array: NDArray[Any] = (entry.float() if short else entry).detach().to_dense().cpu().numpy()
    return array
