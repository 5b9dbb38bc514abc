"""Loads weights from a module, a mapping or a file, compares them with a graph and converts their element types."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from archspec.diagnostics import did_you_mean, fail
from archspec.file_kinds import irregular
from archspec.ir.graph import Graph
from archspec.ir.types import DType
from archspec.lower import atomic_write
from archspec.lower.weights import file_formats
from archspec.lower.weights.report import Form, WeightsReport, is_counter, report
from archspec.lower.weights.state_dict import RenameRule, StateDict, chosen, named, selected, state_dicts

_IN_FOLDERS = (".index.json", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".npz")
"""The endings of files that are suggested for a folder."""


@runtime_checkable
class StoredArray(Protocol):
    """An entry that is read when it is needed."""

    def array(self) -> NDArray[Any]:
        """Its elements."""


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

    `FILE:PART` takes one of several state dicts in a checkpoint, by its key, or by the prefix of its names.

    Raises:
        ArchspecError: the weights do not fit the graph, or the file cannot be read, or is no file of weights.
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
    stored, file, kind, part = _stored(weights, values=values)
    origin = f"the weights in {file}" if file else "the given weights" if stored is weights else "the module's weights"
    wanted = {key: weight.shape for key, weight in graph.weights() if not is_counter(key)}
    state, prefix = _part(stored, part, file) if part else (chosen([*state_dicts(stored)], wanted, rename, file), None)
    found = named(state.entries, {key for key, _ in graph.weights()}, rename, prefix, file)
    forms = _forms(found.entries)
    stripped = (*state.stripped, *found.stripped)
    kind = f"{file} is {kind}" if file else ""
    result = report(
        graph,
        forms,
        origin,
        renamed=found.renamed,
        stripped=stripped,
        foreign=found.foreign,
        kind=kind,
    )
    return found.entries, result


def _part(stored: Mapping[Any, Any], part: str, file: str) -> tuple[StateDict, str | None]:
    """The state dict at a path of keys, and no prefix; or the one whose names begin with a prefix, and that.

    Raises:
        ArchspecError: there is neither.
    """
    found = [*state_dicts(stored)]
    if (inside := selected(stored, part)) is not None:
        state = next(state_dicts(inside))
        return StateDict((*part.split("."), *state.path), state.entries, state.others), None
    for state in found:
        if any(name.startswith(f"{part}.") for name in state.entries):
            return state, f"{part}."
    known = [".".join(state.path) for state in found if state.path]
    known += dict.fromkeys(name.partition(".")[0] for state in found if not state.path for name in state.entries)
    help = did_you_mean(part, known) or (f"it has {', '.join(known[:8])}" if known else None)
    raise fail("wrong-weights", f"{file} has no part '{part}'", help=help)


def _stored(weights: object, *, values: bool) -> tuple[Mapping[Any, Any], str, str, str]:
    """The weights as a mapping; their file, if they have one; what it is; and which part of it is meant."""
    if isinstance(weights, str | Path):
        path, part = _file_and_part(Path(weights))
        content = _read(path, values=values)
        return content.entries, str(path), content.kind, part
    if isinstance(weights, Mapping):
        return weights, "", "", ""
    if hasattr(weights, "state_dict") and not isinstance(weights, type):
        return weights.state_dict(), "", "", ""
    raise TypeError(f"weights must be a module, a state dict or a file, not {type(weights).__name__}")


def _file_and_part(path: Path) -> tuple[Path, str]:
    """The file that a path means, and the part of it that follows after a colon."""
    file, colon, part = str(path).rpartition(":")
    if not colon or not part or os.path.lexists(path) or not os.path.lexists(file):
        return path, ""
    return Path(file), part


def _read(path: Path, *, values: bool) -> file_formats.StoredWeights:
    if kind := irregular(path):
        names = sorted(file.name for file in path.iterdir()) if path.is_dir() else []
        inside = [name for name in names if name.endswith(_IN_FOLDERS)]
        help = f"name a file in it: {', '.join(inside[:4])}" if inside else None
        raise fail("unreadable-file", f"cannot read {path}: it is {kind}, not a file", help=help)
    try:
        return file_formats.read(path, values=values)
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
    if isinstance(entry, StoredArray):
        return entry.array()
    if not hasattr(entry, "detach"):
        return np.asarray(entry)
    if entry.is_meta:
        raise fail("wrong-weights", f"'{key}' is on the device 'meta' and holds no values")
    short = entry.is_floating_point() and entry.element_size() < 4
    array: NDArray[Any] = (entry.float() if short else entry).detach().to_dense().cpu().numpy()
    return array
