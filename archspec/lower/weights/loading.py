"""Weights that come from outside, from a module, a mapping or a file: read, held against a graph, and made to fit."""

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
from archspec.ir.graph import Graph
from archspec.ir.types import DType
from archspec.lower import atomic_write
from archspec.lower.weights import checkpoint, safetensors_file
from archspec.lower.weights.report import Form, WeightsReport, report
from archspec.lower.weights.state_dict import RenameRule, named, unwrapped

Weights = Mapping[str, NDArray[Any]]
"""Arrays by their names in the state dict. Those of a module or a file lie where they lay there, and change with it:
who keeps them copies them.
"""


def fitted(graph: Graph, weights: Mapping[str, Any], origin: str = "the weights given") -> Weights:
    """The weights in the order of the graph, each with the element type it has there.

    Floating-point numbers of another precision are converted. A `num_batches_tracked` that is not there is 0.

    Args:
        graph: the network they are for.
        weights: arrays by their names in the state dict.
        origin: what a diagnostic calls them.

    Raises:
        ArchspecError: some are missing, unexpected, or of another shape or kind of number; one diagnostic names them.
    """
    return _taken(graph, weights, report(graph, _forms(weights), origin), strict=True)


def given(graph: Graph, weights: object, *, rename: Sequence[RenameRule] = ()) -> Weights:
    """The weights a user hands over: a torch module, a state dict of tensors or arrays, or the path of a file.

    Raises:
        ArchspecError: they do not fit the graph, or the file cannot be read, or is neither of safetensors nor of
            `torch.save`.
        TypeError: it is none of these.
    """
    return loaded(graph, weights, rename=rename)[0]


def loaded(
    graph: Graph, weights: object, *, rename: Sequence[RenameRule] = (), strict: bool = True, advice: str | None = None
) -> tuple[Weights, WeightsReport]:
    """As `given`, with the report on them; if not `strict`, those weights alone that fit.

    `advice` is for whoever gives weights that do not fit, where there is better than the report's.

    Raises:
        ArchspecError: they do not fit the graph, or not one of them does; or the file cannot be read.
        TypeError: it is nothing that holds weights.
    """
    entries, found = _matched(graph, weights, rename, values=True)
    return _taken(graph, entries, found, strict=strict, advice=advice), found


def examined(graph: Graph, weights: object, *, rename: Sequence[RenameRule] = ()) -> WeightsReport:
    """The report on weights, without their numbers: of a safetensors file the header alone is read.

    Raises:
        ArchspecError: the file cannot be read.
        TypeError: it is nothing that holds weights.
    """
    return _matched(graph, weights, rename, values=False)[1]


def from_module(graph: Graph, module: Any) -> Weights:
    """The weights in the state dict of a torch module.

    Raises:
        ArchspecError: they do not fit the graph, or are on the device `meta` and hold no values.
    """
    return given(graph, module)


def to_file(weights: Weights, path: str | Path) -> None:
    """Write weights as a safetensors file, whole or not at all.

    Raises:
        ArchspecError: the file cannot be written.
    """
    arrays = {key: np.asarray(array, order="C") for key, array in weights.items()}
    atomic_write.write_bytes(Path(path), safetensors.numpy.save(arrays))


def _matched(
    graph: Graph, weights: object, rename: Sequence[RenameRule], *, values: bool
) -> tuple[Mapping[str, Any], WeightsReport]:
    """What there is under the names of the graph, and how it fits."""
    held, origin = _held(weights, values=values)
    entries, wrapping = unwrapped(held)
    found = named(entries, {key for key, _ in graph.weights()}, rename)
    stripped = (*wrapping, *found.stripped)
    return found.entries, report(graph, _forms(found.entries), origin, renamed=found.renamed, stripped=stripped)


def _held(weights: object, *, values: bool) -> tuple[Mapping[Any, Any], str]:
    """What a user hands over as a mapping, and what diagnostics call it."""
    if isinstance(weights, str | Path):
        return _read(Path(weights), values=values), f"the weights in {weights}"
    if isinstance(weights, Mapping):
        return weights, "the weights given"
    if hasattr(weights, "state_dict") and not isinstance(weights, type):
        return weights.state_dict(), "the module's weights"
    raise TypeError(f"weights are a module, a state dict or a file, not {type(weights).__name__}")


def _read(path: Path, *, values: bool) -> Mapping[Any, Any]:
    try:
        with path.open("rb") as file:
            torchs = checkpoint.is_checkpoint(path, file.read(9))
        return checkpoint.read(path, "cpu" if values else "meta") if torchs else safetensors_file.read(path)
    except OSError as error:
        raise fail("unreadable-file", f"cannot read {path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise fail("wrong-weights", f"{path} is not a whole safetensors file: {error}") from error


def _taken(
    graph: Graph, entries: Mapping[str, Any], found: WeightsReport, *, strict: bool, advice: str | None = None
) -> Weights:
    """The arrays of the weights that fit, in the order of the graph.

    Raises:
        ArchspecError: not all fit, if `strict`; or none does.
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
    """Numbers with the element type a network has for them.

    Raises:
        ArchspecError: that type has no number so large; they would become infinite.
    """
    try:
        with np.errstate(over="raise"):
            return np.asarray(array, dtype=dtype.value)
    except FloatingPointError as error:
        largest = np.abs(array[np.isfinite(array)]).max()
        message = f"'{key}' holds numbers up to {largest:.3g}, and {dtype} none beyond {np.finfo(dtype.value).max:.3g}"
        raise fail("wrong-weights", message) from error


def _forms(entries: Mapping[str, Any]) -> dict[str, Form]:
    """The forms of arrays, of torch's tensors and of those in files."""
    return {key: Form(tuple(entry.shape), _dtype(entry.dtype)) for key, entry in entries.items()}


@cache
def _dtype(dtype: Any) -> str:
    """The name of a type of elements: NumPy's, which takes its time to make it up, torch's, or one in a file."""
    return getattr(dtype, "name", None) or str(dtype).removeprefix("torch.")


def _array(key: str, entry: Any) -> NDArray[Any]:
    """An entry of a state dict as an array, torch's tensors among them, without importing torch.

    NumPy does not know all of torch's floating-point numbers. It knows those of 4 bytes and of 8, and the others fit
    into the former.
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
