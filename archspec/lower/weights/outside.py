"""Weights that come from outside: from a module or a file, and whether they fit a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from archspec.diagnostics import Note, fail
from archspec.ir.graph import Graph
from archspec.ir.types import DType, Weight
from archspec.lower import files

Weights = Mapping[str, NDArray[Any]]
"""Arrays by their names in the state dict."""

_Entries = list[tuple[str, dict[str, Any]]]

_SHOWN = 4
"""How many faults of each kind a diagnostic lists."""

_OPTIONAL = "num_batches_tracked"
"""A count that only training reads: old checkpoints have none, nor have those of other frameworks."""

_BFLOAT16 = "BF16"
_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", _BFLOAT16: "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip
"""The element types of safetensors, as NumPy writes them."""


def fitted(graph: Graph, weights: Weights, origin: str = "the weights given") -> Weights:
    """The weights in the order of the graph, each with the element type it has there.

    Floating-point numbers of another precision are converted. A `num_batches_tracked` that is not there is 0.

    Args:
        graph: the network they are for.
        weights: arrays by their names in the state dict.
        origin: what a diagnostic calls them.

    Raises:
        ArchspecError: some are missing, unexpected, or of another shape or kind of number; one diagnostic names them.
    """
    wanted = dict(graph.weights())
    faults: dict[str, list[tuple[str, ...]]] = {
        "missing": [(key, _form(weight)) for key, weight in wanted.items() if key not in weights and not _spare(key)],
        "unexpected": [(key, _form(array)) for key, array in weights.items() if key not in wanted],
        "different": [
            (key, _form(weight), f"got {_form(weights[key])}")
            for key, weight in wanted.items()
            if key in weights and not _fits(weight, weights[key])
        ],
    }
    if any(faults.values()):
        counts = [f"{len(found)} {kind}" for kind, found in faults.items() if found]
        raise fail(
            "wrong-weights",
            f"{origin} do not fit '{graph.name}': {', '.join(counts)}",
            notes=[note for kind, found in faults.items() for note in _listed(kind, found)],
            help=_advice(wanted, weights),
        )
    return {key: np.asarray(weights.get(key, 0), dtype=weight.dtype.value) for key, weight in wanted.items()}


def given(graph: Graph, weights: object) -> Weights:
    """The weights a user hands over: a torch module, a state dict of tensors or arrays, or a safetensors file.

    Raises:
        ArchspecError: they do not fit the graph, or the file cannot be read.
        TypeError: it is none of these.
    """
    if isinstance(weights, str | Path):
        return from_file(graph, weights)
    if isinstance(weights, Mapping):
        return fitted(graph, _arrays(weights))
    if hasattr(weights, "state_dict"):
        return from_module(graph, weights)
    raise TypeError(f"weights are a module, a state dict or a safetensors file, not {type(weights).__name__}")


def from_module(graph: Graph, module: Any) -> Weights:
    """The weights in the state dict of a torch module.

    Raises:
        ArchspecError: they do not fit the graph, or are on the device `meta` and hold no values.
    """
    return fitted(graph, _arrays(module.state_dict()), "the module's weights")


def from_file(graph: Graph, path: str | Path) -> Weights:
    """The weights in a safetensors file.

    Raises:
        ArchspecError: the file cannot be read, is not safetensors, or its weights do not fit the graph.
    """
    path = Path(path)
    try:
        entries: _Entries = safetensors.deserialize(path.read_bytes())  # type: ignore[no-untyped-call]  # a C function
    except OSError as error:
        raise fail("unreadable-file", f"cannot read {path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise fail("wrong-weights", f"{path} is not a whole safetensors file: {error}") from error
    for key, entry in entries:
        if entry["dtype"] not in _KINDS:
            raise fail("wrong-weights", f"'{key}' in {path} is made of {entry['dtype']}, which no weight here is")
    return fitted(graph, {key: _decoded(entry) for key, entry in entries}, f"the weights in {path}")


def to_file(weights: Weights, path: str | Path) -> None:
    """Write weights as a safetensors file, whole or not at all.

    Raises:
        ArchspecError: the file cannot be written.
    """
    arrays = {key: np.asarray(array, order="C") for key, array in weights.items()}
    files.write_bytes(Path(path), safetensors.numpy.save(arrays))


def _arrays(state: Mapping[str, Any]) -> Weights:
    """A state dict's entries as arrays, torch's tensors among them, without importing torch.

    NumPy does not know all of torch's floating-point numbers, but it knows float32.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for key, tensor in state.items():
        if not hasattr(tensor, "detach"):
            arrays[key] = np.asarray(tensor)
        elif tensor.is_meta:
            raise fail("wrong-weights", f"'{key}' is on the device 'meta' and holds no values")
        else:
            arrays[key] = (tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().numpy()
    return arrays


def _decoded(entry: Mapping[str, Any]) -> NDArray[Any]:
    """An entry of a safetensors file as an array. NumPy has no bfloat16: it is the upper half of a float32."""
    array = np.frombuffer(entry["data"], _KINDS[entry["dtype"]])
    if entry["dtype"] == _BFLOAT16:
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(entry["shape"])


def _fits(weight: Weight, array: NDArray[Any]) -> bool:
    """Whether the shape is the weight's, and the elements are fractions or whole numbers as the weight's are."""
    return array.shape == weight.shape and (array.dtype.kind == "f") == (weight.dtype is DType.FLOAT32)


def _spare(key: str) -> bool:
    return key.rpartition(".")[2] == _OPTIONAL


def _form(tensor: Weight | NDArray[Any]) -> str:
    dtype = tensor.dtype.value if isinstance(tensor, Weight) else tensor.dtype.name
    return str(list(tensor.shape)) + ("" if dtype == DType.FLOAT32 else f" {dtype}")


def _listed(kind: str, found: Sequence[tuple[str, ...]]) -> list[Note]:
    """The first faults of a kind, one a line, and how many more there are."""
    notes = [(f"{kind}:" if i == 0 else "", *cells) for i, cells in enumerate(found[:_SHOWN])]
    more = len(found) - _SHOWN
    return [*notes, ("", f"and {more} more")] if more > 0 else notes


def _advice(wanted: Mapping[str, Weight], given: Iterable[str]) -> str | None:
    """What would help where all names have one more in front, as those of a wrapped module have."""
    heads = {key.partition(".")[0] for key in given}
    if len(heads) == 1 and any(key.partition(".")[2] in wanted for key in given):
        return f"their names begin with '{heads.pop()}.', as in a wrapped module: give what is inside it"
    return None
