"""Files of `torch.save`: what they hold, as long as it is tensors. What would run code when it is read is refused."""

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
"""How zip archives begin, and pickles: `torch.save` has written both."""

ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".tar", ".pkl")
"""What such files are usually called."""

_GLOBAL = re.compile(r"GLOBAL (\S+)")


def is_checkpoint(path: Path, head: bytes) -> bool:
    """Whether a file is one of `torch.save`, by its first nine bytes, or by its name where they are missing.

    The header of a safetensors file starts at the ninth byte with a brace.
    """
    if head[8:9] == b"{":
        return False
    return head.startswith(_MAGIC) or path.suffix.lower() in ENDINGS


def read(path: Path, device: str = "cpu") -> Mapping[Any, Any]:
    """What a file of `torch.save` holds, read with `weights_only`; on the device `meta` without its numbers.

    What can be is mapped into memory: only what is used of it is read.

    Raises:
        ArchspecError: the file is not whole, holds objects that need code to be read, or is no mapping;
            or torch is not there.
    """
    require("torch", f"{path}, a file of torch.save,")
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles by other protocols
            mapped = _mappable(path)
            with path.open("rb") as file:
                held = torch.load(path if mapped else file, map_location=device, weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except Exception as error:  # a broken file can end anywhere in torch's reader, which has no error of its own
        reason = str(error).split("\n")[0].split(". ")[0] or type(error).__name__
        raise fail("wrong-weights", f"{path} is not a whole file of torch.save: {reason}") from error
    if not isinstance(held, Mapping):
        raise fail("wrong-weights", f"{path} holds no state dict, but one object of class {type(held).__name__}")
    return held


def _mappable(path: Path) -> bool:
    """Whether a file is an archive whose records lie in it as they are: `torch.load` reads compressed ones as well.

    What is mapped is given by its path, and one that ends with .safetensors is taken for what it says.
    """
    if path.suffix == ".safetensors" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return all(record.compress_type == zipfile.ZIP_STORED for record in archive.infolist())


def _refused(path: Path, reason: str) -> ArchspecError:
    """The error of a pickle that torch will not read without running what stands in it."""
    found = _GLOBAL.search(reason)
    if found is None:
        return fail("wrong-weights", f"{path} is not a whole file of torch.save, or holds more than tensors")
    return fail(
        "wrong-weights",
        f"{path} holds more than tensors: to read it, '{found[1]}' would have to run, and nothing in a file is run",
        help="save the weights alone: torch.save(model.state_dict(), ...)",
    )
