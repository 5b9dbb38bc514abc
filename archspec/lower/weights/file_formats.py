"""What a file of weights is: the formats that are read, and those that people have instead, with what to do then."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.diagnostics import ArchspecError, fail
from archspec.lower.weights import checkpoint, safetensors_file

_HEAD = 512
"""The number of bytes that tell the format of a file."""

_MOST_INDEX = 100_000_000
"""The largest index of shards that is read, in bytes."""

_LENGTH = Struct("<Q")


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """The content of a file of weights.

    Attributes:
        entries: tensors and whatever else the file holds, by name.
        kind: what the file is, in words.
    """

    entries: Mapping[Any, Any]
    kind: str


def read(path: Path, *, values: bool) -> StoredWeights:
    """The content of a file.

    Args:
        path: the file.
        values: whether the values are wanted; otherwise shapes and element types are enough.

    Raises:
        ArchspecError: it is no file of weights, or incomplete.
        OSError: it cannot be read.
        SafetensorError: it is an incomplete safetensors file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.lstrip()[:1] == b"{" and not _is_safetensors(head):
        return _sharded(path, values=values)
    records = _records(path, head)
    if records and all(record.endswith(".npy") for record in records):
        return StoredWeights(_npz(path), "an .npz file of NumPy")
    if error := _other_format(path, head, records):
        raise error
    if checkpoint.is_checkpoint(path, head[:9]):
        is_torch = bool(records) or head.startswith(checkpoint.OLD_MAGIC)
        content = checkpoint.read(path, "cpu" if values else "meta")
        return StoredWeights(content, "a file of torch.save" if is_torch else "a pickle")
    return StoredWeights(safetensors_file.read(path), "a safetensors file")


def _is_safetensors(head: bytes) -> bool:
    """Whether a file starts with the length of a header, and the header with a brace."""
    return len(head) > _LENGTH.size and head[8:9] == b"{" and _LENGTH.unpack_from(head)[0] < 2**48


def _records(path: Path, head: bytes) -> list[str]:
    """The names of the records of a zip archive; empty for other files."""
    if not head.startswith(b"PK"):
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return []  # incomplete, which its reader reports


def _other_format(path: Path, head: bytes, records: list[str]) -> ArchspecError | None:
    """The error for a file that holds no weights, or not in a way that is read; None if it may be one that is."""
    found = _by_content(path, head) or _of_archive(records) or _by_suffix(path, head)
    if found is None:
        return None
    what, help = found
    return fail("wrong-weights", f"{path} is {what}", help=help.replace("FILE", path.name))


_CONVERT = "archspec reads safetensors, torch.save and .npz: save the arrays under the names of the network"


def _by_content(path: Path, head: bytes) -> tuple[str, str] | None:
    text = head.lstrip().lower()
    for start, what, help in _CONTENTS:
        if (text if start.startswith(b"<") else head).startswith(start):
            return what, help
    if head[4:8] == b"TFL3":
        return "a model of TensorFlow Lite, not weights", _CONVERT
    if not head:
        return "empty", "copy or download it again"
    return None


_CONTENTS = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the weights themselves",
     "`git lfs pull` in its repository fetches the file"),
    (b"<!doctype html", "an HTML page, not weights", "the address leads to a page: download the file itself"),
    (b"<html", "an HTML page, not weights", "the address leads to a page: download the file itself"),
    (b"<?xml", "an XML document, not weights", "servers answer so when a download fails: read it, and download again"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them", _CONVERT),
    (b"\x93NUMPY", "a single array of NumPy (.npy)", "numpy.savez stores several arrays by name"),
    (b"GGUF", "a GGUF file, as llama.cpp reads them", _CONVERT),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first: gunzip, or tar -xzf"),
    (b"BZh", "compressed with bzip2", "unpack it first"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
)  # fmt: skip


def _of_archive(records: list[str]) -> tuple[str, str] | None:
    """What a zip archive is; None if `torch.save` may have written it."""
    last = {record.rpartition("/")[2] for record in records}
    if "constants.pkl" in last:
        return "a TorchScript archive, which is a program", 'torch.save(torch.jit.load("FILE").state_dict(), "w.pth")'
    if "model.weights.h5" in last:
        return "a model of Keras (.keras)", _CONVERT
    if "archive_format" in last or "serialized_exported_program.json" in last:
        return "a program of torch.export", 'torch.save(torch.export.load("FILE").state_dict, "w.pth")'
    if records and "data.pkl" not in last:
        return f"a zip archive of {records[0]}{' and others' if len(records) > 1 else ''}", "unpack it first"
    return None


def _by_suffix(path: Path, head: bytes) -> tuple[str, str] | None:
    """What a file is by its name, if its content is no known format of weights."""
    if _is_safetensors(head) or checkpoint.has_magic(head):
        return None
    name = path.name.lower()
    for suffix, what in _SUFFIXES.items():
        if name.endswith(suffix):
            return what, _CONVERT
    if head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x1a", b"\x22", b":"):
        return _SUFFIXES[".onnx"], _CONVERT  # the field `ir_version`, then the producer or the graph
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < _HEAD else "ignore")
    except UnicodeDecodeError:
        return None
    is_text = all(character.isprintable() or character in "\r\n\t" for character in text)
    return ("text, not weights", "name a file of weights") if is_text else None


_SUFFIXES = {
    ".onnx": "an ONNX model, not weights under the names of the network",
    ".pb": "a graph of TensorFlow", ".ckpt.index": "part of a checkpoint of TensorFlow",
    ".data-00000-of-00001": "part of a checkpoint of TensorFlow", ".msgpack": "a file of Flax",
    ".mlmodel": "a model of Core ML", ".engine": "an engine of TensorRT", ".caffemodel": "a model of Caffe",
}  # fmt: skip


def _sharded(path: Path, *, values: bool) -> StoredWeights:
    """The tensors of the files that an index of shards names, as `transformers` writes them.

    Raises:
        ArchspecError: the file is no such index, or a shard is missing.
    """
    try:
        content = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_INDEX else None
    except (ValueError, RecursionError):
        content = None
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        help = "an index of shards has a 'weight_map'; otherwise name a file of weights"
        raise fail("wrong-weights", f"{path} is JSON, not weights", help=help)
    files = sorted({str(file) for file in places.values()})
    for file in files:
        if Path(file).name != file or not file:
            raise fail("wrong-weights", f"{path} names a shard outside its folder: {file}")
    missing = [file for file in files if not path.with_name(file).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        message = f"{path} names {len(files)} shards, of which {missing[0]}{more} {'are' if more else 'is'} missing"
        raise fail("wrong-weights", message, help="download all shards into the folder of the index")
    shards = {file: _shard(path.with_name(file), values=values) for file in files}
    absent = [name for name, file in places.items() if name not in shards[file]]
    if absent:
        raise fail("wrong-weights", f"the shard {places[absent[0]]} of {path} lacks '{absent[0]}'")
    entries = {name: shards[file][name] for name, file in places.items()}
    return StoredWeights(entries, f"an index of {len(files)} shard{'s' if len(files) > 1 else ''}")


def _shard(path: Path, *, values: bool) -> Mapping[Any, Any]:
    with path.open("rb") as file:
        if file.read(_HEAD).lstrip()[:1] == b"{":
            raise fail("wrong-weights", f"the shard {path} is JSON, not weights")
    return read(path, values=values).entries


@dataclass(frozen=True, slots=True)
class _Record:
    """An array in an .npz file, read when it is needed."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def array(self) -> NDArray[Any]:
        """Its elements.

        Raises:
            ArchspecError: the file is incomplete, or was changed.
        """
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                array: NDArray[Any] = archive[self.name]
        except Exception as error:  # zipfile, its decompressors and NumPy raise errors of many kinds for a corrupt file
            raise fail("wrong-weights", f"cannot read '{self.name}' of {self.path}: {error}") from error
        return array


def _npz(path: Path) -> Mapping[str, _Record]:
    """The arrays of an .npz file by name; only their headers are read.

    Raises:
        ArchspecError: the file is incomplete, or an array holds objects.
    """
    entries: dict[str, _Record] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for record in archive.namelist():
                with archive.open(record) as file:
                    version = np.lib.format.read_magic(file)
                    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                    shape, _, dtype = header[version](file)
                name = record.removesuffix(".npy")
                if dtype.hasobject:
                    raise fail("wrong-weights", f"'{name}' of {path} holds objects, not numbers")
                entries[name] = _Record(path, name, shape, dtype)
    except ArchspecError:
        raise
    except Exception as error:  # as above
        raise fail("wrong-weights", f"{path} is not a complete .npz file: {error}") from error
    return entries
