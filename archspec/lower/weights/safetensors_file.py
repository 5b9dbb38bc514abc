"""Reads safetensors files. A file is mapped into memory, so that only the tensors that are used are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

_BFLOAT16 = "BF16"
_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", _BFLOAT16: "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip
"""The element types of safetensors, as NumPy writes them."""

_LENGTH = Struct("<Q")
"""The first bytes of a file: the length of its header."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file.

    Attributes:
        shape: its sizes.
        kind: the safetensors name of its element type.
        file: the bytes of the file.
        start: the offset of its first byte.
    """

    shape: tuple[int, ...]
    kind: str
    file: mmap
    start: int

    @property
    def dtype(self) -> str:
        """PyTorch's name of its element type, or the file's own name for types that no weight can have."""
        if self.kind == _BFLOAT16:
            return "bfloat16"
        return np.dtype(_KINDS[self.kind]).name if self.kind in _KINDS else self.kind

    def array(self) -> NDArray[Any]:
        """Its elements, not copied, except those of bfloat16: NumPy lacks it; it is the upper half of a float32."""
        array = np.ndarray(self.shape, _KINDS[self.kind], self.file, self.start)
        return (array.astype("<u4") << 16).view("<f4") if self.kind == _BFLOAT16 else array


def read(path: Path) -> Mapping[str, Stored]:
    """The tensors in a file, by name.

    Raises:
        OSError: the file cannot be read.
        SafetensorError: the file is incomplete or no safetensors file.
    """
    with safetensors.safe_open(path, framework="numpy"), path.open("rb") as file:
        mapped = mmap(file.fileno(), 0, access=ACCESS_COPY)  # copy on write: the file itself is never changed
    (length,) = _LENGTH.unpack_from(mapped)
    start = _LENGTH.size + length
    header = json.loads(mapped[_LENGTH.size : start])
    return {
        name: Stored(tuple(entry["shape"]), entry["dtype"], mapped, start + entry["data_offsets"][0])
        for name, entry in sorted(header.items())
        if name != "__metadata__"
    }
