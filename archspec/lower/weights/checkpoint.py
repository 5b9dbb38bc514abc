"""Reads files of `torch.save` that hold tensors only. Files that would run code when read are rejected."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archspec.diagnostics import ArchspecError, fail
from archspec.lower.optional_deps import require

_MAGIC = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""The first bytes of zip archives and of pickles; `torch.save` has written both formats."""

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".tar", ".pkl")
"""The usual suffixes of such files."""

_GLOBAL = re.compile(r"GLOBAL (\S+)")


def is_checkpoint(path: Path, head: bytes) -> bool:
    """Whether `torch.save` wrote a file: decided by its first nine bytes, or by its suffix if they do not tell.

    The header of a safetensors file starts at the ninth byte with a brace.
    """
    if head[8:9] == b"{":
        return False
    return head.startswith(_MAGIC) or path.suffix.lower() in SUFFIXES


def read(path: Path, device: str = "cpu") -> Mapping[Any, Any]:
    """The mapping in a file of `torch.save`, read with `weights_only`; on the device `meta`, without values.

    Where possible the file is mapped into memory, so that only what is used is read.

    Raises:
        ArchspecError: the file is incomplete, holds objects other than tensors, or holds no mapping; or torch is not
            installed.
    """
    require("torch", f"{path}, a file of torch.save,")
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of other protocols
            mapped = _mappable(path)
            with path.open("rb") as file:
                content = torch.load(path if mapped else file, map_location=device, weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise _unsafe(path, str(error)) from error
    except Exception as error:  # torch raises errors of many kinds for a corrupt file
        reason = str(error).split("\n")[0].split(". ")[0] or type(error).__name__
        raise fail("wrong-weights", f"{path} is not a complete file of torch.save: {reason}") from error
    if not isinstance(content, Mapping):
        raise fail("wrong-weights", f"{path} holds a {type(content).__name__}, not a state dict")
    return content


def _mappable(path: Path) -> bool:
    """Whether a file is a zip archive of uncompressed records, which `torch.load` can map into memory.

    `torch.load` maps files by path only, and would read one that ends in .safetensors as safetensors.
    """
    if path.suffix == ".safetensors" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return all(record.compress_type == zipfile.ZIP_STORED for record in archive.infolist())


def _unsafe(path: Path, reason: str) -> ArchspecError:
    """The error of a pickle that torch could read only by running code from it."""
    match = _GLOBAL.search(reason)
    if match is None:
        return fail(
            "wrong-weights", f"{path} is not a complete file of torch.save, or holds objects other than tensors"
        )
    return fail(
        "wrong-weights",
        f"{path} holds objects other than tensors: reading it would run '{match[1]}', which archspec does not allow",
        help="save only the weights: torch.save(model.state_dict(), ...)",
    )
