"""Files of weights: those that are read, and what is said about the others."""

from __future__ import annotations

import argparse
import collections
import io
import json
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from archspec.diagnostics import ArchspecError
from archspec.loading import parse
from archspec.lower.weights.inert_pickle import InertUnpickler
from archspec.network import Network
from tests.lower.weights.graphs import TEXT, code


@pytest.fixture
def net() -> Network:
    return parse(TEXT)


def fits(net: Network, path: Path, module: torch.nn.Module) -> None:
    """Assert that a file holds exactly the weights of a module."""
    assert net.weights_report(path).complete
    loaded = net.weights(path)
    for key, tensor in module.state_dict().items():
        np.testing.assert_array_equal(loaded[key], tensor.numpy())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(net: Network, tmp_path: Path, save: Callable[..., None]) -> None:
    module = net.to_torch()
    save(tmp_path / "w.npz", **{key: tensor.numpy() for key, tensor in module.state_dict().items()})
    fits(net, tmp_path / "w.npz", module)
    assert net.weights_report(tmp_path / "w.npz").kind.endswith("w.npz is an .npz file of NumPy with 11 tensors")
    whole = (tmp_path / "w.npz").read_bytes()
    for length in (30, len(whole) // 2, len(whole) - 1):
        (tmp_path / "w.npz").write_bytes(whole[:length])
        with pytest.raises(ArchspecError) as error:
            net.weights(tmp_path / "w.npz")
        assert code(error) == "wrong-weights"
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(ArchspecError, match="holds objects, not numbers"):
        net.weights_report(tmp_path / "objects.npz")


def test_shards(net: Network, tmp_path: Path) -> None:
    module = net.to_torch()
    state = module.state_dict()
    first, second = dict([*state.items()][:4]), dict([*state.items()][4:])
    safetensors.torch.save_file(first, tmp_path / "model-00001.safetensors")
    torch.save(second, tmp_path / "model-00002.bin")
    places = {**dict.fromkeys(first, "model-00001.safetensors"), **dict.fromkeys(second, "model-00002.bin")}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}, indent=2))
    fits(net, index, module)
    assert net.weights_report(index).kind == f"{index} is an index of 2 shards with 11 tensors"
    with pytest.raises(ArchspecError) as error:
        net.to_torch(tmp_path)
    assert "help: name a file in it: model-00001.safetensors, model-00002.bin" in str(error.value)
    for changed, message in (
        ({**places, "more": "model-00002.bin"}, "lacks 'more'"),
        ({**places, "more": "model-00003.bin"}, "of which model-00003.bin is missing"),
        ({**places, "more": "../secret.bin"}, "outside its folder"),
        ({**places, "more": index.name}, "is JSON"),
        ([], "is JSON, not weights"),
    ):
        index.write_text(json.dumps({"weight_map": changed}))
        with pytest.raises(ArchspecError, match=message) as error:
            net.weights(index)
        assert code(error) == "wrong-weights"


def saved(network: Network, path: Path) -> None:
    """A file of the kind that its suffix says."""
    ways: dict[str, Callable[[], object]] = {
        ".onnx": lambda: network.to_onnx(path),
        ".pt2": lambda: network.to_program(path),
        ".ts": lambda: torch.jit.script(network.to_torch()).save(str(path)),
        ".keras": lambda: _zipped(path, "model.weights.h5", "config.json"),
        ".zip": lambda: _zipped(path, "w.pth"),
        ".npy": lambda: np.save(path, np.ones(3)),
    }
    ways[path.suffix]()


def _zipped(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "content")


CONTENTS = {
    "lfs.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a pointer of Git LFS"),
    "page.pth": (b"\n<!DOCTYPE html>\n<html><body>Sign in", "an HTML page"),
    "error.bin": (b"<?xml version='1.0'?><Error>", "an XML document"),
    "w.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    "w.json": (b'{"a": 1}', "JSON, not weights"),
    "w.gguf": (b"GGUF\3\0\0\0", "a GGUF file"),
    "w.pth.gz": (b"\x1f\x8b\x08\0", "compressed with gzip"),
    "w.tflite": (b"\x1c\0\0\0TFL3", "a model of TensorFlow Lite"),
    "w.msgpack": (b"\x82\xa1", "a file of Flax"),
    "empty.pth": (b"", "empty"),
    "notes.txt": (b"Weights of the second run\n", "text, not weights"),
    "spec.safetensors": (b"archspec: 1\nname: net\n" * 10, "text, not weights"),
    "net.onnx": (None, "an ONNX model"), "net.pt2": (None, "a program of torch.export"),
    "net.ts": (None, "a TorchScript archive"), "net.keras": (None, "a model of Keras"),
    "net.zip": (None, "a zip archive of w.pth"), "net.npy": (None, "a single array of NumPy"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_of_another_kind_is_named(net: Network, tmp_path: Path, name: str) -> None:
    content, kind = CONTENTS[name]
    path = tmp_path / name
    if content is None:
        saved(net, path)
    else:
        path.write_bytes(content)
    for read in (net.to_torch, net.weights_report, net.weights):
        with pytest.raises(ArchspecError) as error:
            read(path)
        assert code(error) == "wrong-weights"
        (diagnostic,) = error.value.diagnostics
        assert diagnostic.message.startswith(f"{path} is {kind}")
        assert diagnostic.help


# --- objects beside tensors -----------------------------------------------------------------------------------------


class Config(dict[str, Any]):
    """A mapping of a class of its own."""


OBJECTS: dict[str, object] = {
    "namespace": argparse.Namespace(lr=0.1, path=Path("runs")),
    "numpy scalar": np.float64(0.5),
    "numpy array": np.arange(3),
    "path": Path("runs"),
    "default": collections.defaultdict(list, {"a": [1]}),
    "class": Config,
    "object": Config(a=1),
    "module": torch.nn.Linear(2, 2),
    "device": torch.device("cpu"),
    "partial": [torch.dtype, torch.float16, {1, 2}, (3, None)],
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize("held", OBJECTS.values(), ids=OBJECTS)
def test_objects_beside_tensors_are_left_out(net: Network, tmp_path: Path, held: object, zipped: bool) -> None:
    module = net.to_torch()
    path = tmp_path / "w.pth"
    content = {"model": Config(module.state_dict()), "args": held, "epoch": 3}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    fits(net, path, module)


def test_arrays_in_a_pickle(net: Network, tmp_path: Path) -> None:
    module = net.to_torch()
    arrays = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    arrays["fc.weight"] = np.asfortranarray(arrays["fc.weight"].astype(">f8"))
    for protocol in (2, 4):
        (tmp_path / "w.pkl").write_bytes(pickle.dumps({"model": arrays, "__author__": "x"}, protocol=protocol))
        fits(net, tmp_path / "w.pkl", module)
    assert net.weights_report(tmp_path / "w.pkl").kind.endswith("w.pkl is a pickle with 11 tensors")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
def test_pickles_of_other_protocols_are_read_without_a_warning(net: Network, tmp_path: Path, zipped: bool) -> None:
    """And without the filters of warnings, which all threads share."""
    module, filters = net.to_torch(), [*warnings.filters]
    path = tmp_path / "w.pth"
    torch.save(module.state_dict(), path, pickle_protocol=4, _use_new_zipfile_serialization=zipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "catch_warnings", None)
        fits(net, path, module)
    assert warnings.filters == filters


class Call:
    """An object whose pickle calls a function, and then sets attributes of what it returned."""

    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.parts = function, args, state

    def __reduce__(self) -> tuple[Any, ...]:
        function, args, state = self.parts
        return (function, args) if state is None else (function, args, state)


def test_nothing_in_a_file_runs_or_changes(net: Network, tmp_path: Path) -> None:
    """Functions of other packages are not called, those of Python are refused, and no class can be changed."""
    module, trap = net.to_torch(), tmp_path / "ran"
    path = tmp_path / "w.pth"
    torch.save({**module.state_dict(), "more": Call(np.lib.format.open_memmap, str(trap), "w+", "f4", (3,))}, path)
    fits(net, path, module)
    assert not trap.exists()
    for function in (os.mkdir, eval, print, getattr, __import__):
        torch.save({**module.state_dict(), "more": Call(function, str(trap))}, path)
        with pytest.raises(ArchspecError, match="which archspec does not allow"):
            net.to_torch(path)
    assert not trap.exists()


@pytest.mark.parametrize("name", ["torch._utils _rebuild_tensor_v2", "numpy dtype", "collections OrderedDict", "a B"])
def test_a_pickle_cannot_change_a_class(net: Network, tmp_path: Path, name: str) -> None:
    """The opcode BUILD sets attributes of what `find_class` returned: here `shape`, of a class or a function."""
    module, _, attribute = name.partition(" ")
    before = dict(vars(torch._utils._rebuild_tensor_v2)), dict(vars(collections.OrderedDict))
    opcodes = f"c{module}\n{attribute}\n".encode() + b"(N}X\x05\0\0\0shapeK\x03stb."
    (tmp_path / "w.pkl").write_bytes(b"\x80\x02" + opcodes)
    with pytest.raises(ArchspecError) as error:
        net.to_torch(tmp_path / "w.pkl")
    assert code(error) == "wrong-weights"
    assert (dict(vars(torch._utils._rebuild_tensor_v2)), dict(vars(collections.OrderedDict))) == before


def test_a_number_in_the_memo_of_a_pickle_reserves_no_memory() -> None:
    """The unpickler in C would reserve 16 GB for this."""
    assert InertUnpickler(io.BytesIO(b"\x80\x02}r\xff\xff\xff\x7f.")).load() == {}
