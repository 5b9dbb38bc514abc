"""Reads the tensors in files of `torch.save`. Nothing in a file is run."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import ArchspecError, fail
from archspec.lower.optional_deps import require
from archspec.lower.weights.state_dict import state_dicts

if TYPE_CHECKING:
    from archspec.lower.weights.inert_pickle import InertUnpickler

_MAGIC = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""The first bytes of zip archives and of pickles; `torch.save` has written both formats."""

OLD_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The first bytes of the files that `torch.save` wrote before its zip archives: a number, pickled."""

_PROTOCOL = 2
"""The protocol of pickles in which `torch.save` writes."""

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".tar", ".pkl")
"""The usual suffixes of such files."""

_GLOBAL = re.compile(r"GLOBAL (\S+)")


def is_checkpoint(path: Path, head: bytes) -> bool:
    """Whether `torch.save` wrote a file: decided by its first nine bytes, or by its suffix if they do not tell.

    The header of a safetensors file starts at the ninth byte with a brace.
    """
    if head[8:9] == b"{":
        return False
    return has_magic(head) or path.suffix.lower() in SUFFIXES


def has_magic(head: bytes) -> bool:
    """Whether a file starts as those of `torch.save` do."""
    return head.startswith(_MAGIC)


def read(path: Path, device: str = "cpu") -> Mapping[Any, Any]:
    """The mapping in a file of `torch.save`, read with `weights_only`; on the device `meta`, without values.

    Where possible the file is mapped into memory, so that only what is used is read. If the file holds other objects
    beside its tensors, it is read again without them.

    Raises:
        ArchspecError: the file is incomplete, holds no tensors or no mapping, or names functions of Python that do more
            than hold data; or torch is not installed.
    """
    require("torch", f"{path}, a file of torch.save,")
    import torch

    def loaded(**options: Any) -> Any:
        with path.open("rb") as file:
            mapped = _mappable(path)
            return torch.load(path if mapped else file, map_location=device, mmap=mapped, **options)

    try:
        try:
            if (protocol := _protocol(path)) != _PROTOCOL:
                # torch would warn, and Python cannot suppress a warning in one thread alone.
                raise pickle.UnpicklingError(f"it has pickle protocol {protocol}")
            content = loaded(weights_only=True)
        except pickle.UnpicklingError as error:
            content = _tensors_alone(path, error, loaded)
    except ArchspecError:
        raise
    except Exception as error:  # torch raises errors of many kinds for a corrupt file
        reason = str(error).split("\n")[0].split(". ")[0] or type(error).__name__
        raise fail("wrong-weights", f"{path} is not a complete file of torch.save: {reason}") from error
    if not isinstance(content, Mapping):
        raise fail("wrong-weights", f"{path} holds a {type(content).__name__}, not a state dict")
    return content


def _protocol(path: Path) -> int:
    """The protocol of the pickle that a file is or holds; 2 if nothing says another."""
    with path.open("rb") as file:
        head = file.read(2)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next((name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"), None)
            if name is not None:
                with archive.open(name) as record:
                    head = record.read(2)
    return head[1] if head[:1] == pickle.PROTO and len(head) == 2 else _PROTOCOL


def _tensors_alone(path: Path, error: Exception, load: Callable[..., Any]) -> Mapping[Any, Any]:
    """The content of a file without the objects that are neither tensors nor containers.

    Raises:
        ArchspecError: no tensors are left, or the file names functions that do more than hold data.
    """
    import torch

    from archspec.lower.weights import inert_pickle

    try:
        content = _plain_pickle(path, inert_pickle.InertUnpickler)
        if content is None:
            content = load(weights_only=False, pickle_module=inert_pickle.pickle_module(torch))
    except pickle.UnpicklingError as rejected:
        raise _unsafe(path, str(rejected)) from rejected
    if isinstance(content, inert_pickle.Foreign) and not content:
        raise _unsafe(path, str(error)) from error
    if isinstance(content, Mapping) and not _holds_tensors(content):
        raise _unsafe(path, str(error)) from error
    return content


def _plain_pickle(path: Path, unpickler: type[InertUnpickler]) -> Mapping[Any, Any] | None:
    """The mapping in a file that `pickle` wrote, of arrays of NumPy; None for a file of torch.

    Raises:
        UnpicklingError: the file is a TorchScript archive, which torch would run.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.rpartition("/")[2] == "constants.pkl" for name in archive.namelist()):
                raise pickle.UnpicklingError("it is a TorchScript archive")
        return None
    with path.open("rb") as file:
        content = unpickler(file).load()
    return content if isinstance(content, Mapping) else None


def _holds_tensors(content: Mapping[Any, Any]) -> bool:
    """Whether a mapping, or one inside it, holds tensors."""
    return any(state.entries for state in state_dicts(content))


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
