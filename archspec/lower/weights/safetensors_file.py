"""Files of safetensors: the tensors they hold. A file is mapped into memory, so that only what is used is read."""

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
"""What a file begins with: the length of its header."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file.

    Attributes:
        shape: its sizes.
        kind: the type of its elements, as the file has it.
        file: the file's bytes.
        start: where its own begin.
    """

    shape: tuple[int, ...]
    kind: str
    file: mmap
    start: int

    @property
    def dtype(self) -> str:
        """The name PyTorch has for its elements, or the file's own where no weight here is made of them."""
        if self.kind == _BFLOAT16:
            return "bfloat16"
        return np.dtype(_KINDS[self.kind]).name if self.kind in _KINDS else self.kind

    def array(self) -> NDArray[Any]:
        """Its elements where they lie. NumPy has no bfloat16, which is the upper half of a float32."""
        array = np.ndarray(self.shape, _KINDS[self.kind], self.file, self.start)
        return (array.astype("<u4") << 16).view("<f4") if self.kind == _BFLOAT16 else array


def read(path: Path) -> Mapping[str, Stored]:
    """The tensors in a file, by name.

    Raises:
        OSError: it cannot be read.
        SafetensorError: it is not whole, or none of safetensors.
    """
    with safetensors.safe_open(path, framework="numpy"), path.open("rb") as file:
        mapped = mmap(file.fileno(), 0, access=ACCESS_COPY)  # what is changed of it is changed in memory alone
    (length,) = _LENGTH.unpack_from(mapped)
    start = _LENGTH.size + length
    header = json.loads(mapped[_LENGTH.size : start])
    return {
        name: Stored(tuple(entry["shape"]), entry["dtype"], mapped, start + entry["data_offsets"][0])
        for name, entry in sorted(header.items())
        if name != "__metadata__"
    }
