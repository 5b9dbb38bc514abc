"""Weights from modules and files, and every kind of mismatch."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import safetensors.torch
import torch

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.loading import parse
from archspec.lower.weights import Weights, fitted, from_module, given, initial, to_file
from tests.lower.weights.graphs import TEXT, code, one


@pytest.fixture
def graph() -> Graph:
    return parse(TEXT).graph


@pytest.fixture
def weights(graph: Graph) -> dict[str, np.ndarray]:
    return dict(initial(graph))


# --- modules and files ----------------------------------------------------------------------------------------------


def test_from_a_module() -> None:
    net = parse(TEXT)
    module = net.to_torch()
    found = from_module(net.graph, module)
    assert list(found) == [key for key, _ in net.graph.weights()]
    for key, tensor in module.state_dict().items():
        np.testing.assert_array_equal(found[key], tensor.numpy())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_module_of_another_precision_is_converted(dtype: torch.dtype) -> None:
    net = parse(TEXT)
    module = net.to_torch().to(dtype)
    found = from_module(net.graph, module)
    assert {array.dtype.name for key, array in found.items() if "tracked" not in key} == {"float32"}
    np.testing.assert_array_equal(found["fc.weight"], module.fc.weight.detach().float().numpy())


def test_a_module_without_values() -> None:
    net = parse(TEXT)
    with pytest.raises(ArchspecError, match="'meta'") as error:
        from_module(net.graph, net.to_torch().to("meta"))
    assert code(error) == "wrong-weights"


def test_a_file_round_trips(graph: Graph, weights: Weights, tmp_path: Path) -> None:
    to_file(weights, tmp_path / "w.safetensors")
    found = given(graph, str(tmp_path / "w.safetensors"))
    assert list(found) == list(weights)
    for key, array in weights.items():
        np.testing.assert_array_equal(found[key], array)
        assert found[key].dtype == array.dtype
        assert found[key].flags.writeable


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_arrays_stay_valid_after_their_file_is_deleted(tmp_path: Path, ending: str) -> None:
    net, path = parse(TEXT), tmp_path / f"w.{ending}"
    module = net.to_torch()
    if ending == "pth":
        torch.save(module.state_dict(), path)
    else:
        net.save_weights(path, module)
    kept, optimized = net.weights(path), net.optimized(path)
    path.write_bytes(bytes(path.stat().st_size))
    for key, tensor in module.state_dict().items():
        np.testing.assert_array_equal(kept[key], tensor.numpy())
    assert all(np.isfinite(array).all() for array in optimized.weights().values())
    assert any(array.any() for array in optimized.weights().values())


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_file_does_not_change_with_the_arrays_read_from_it(tmp_path: Path, ending: str) -> None:
    net, path = parse(TEXT), tmp_path / f"w.{ending}"
    if ending == "pth":
        torch.save(net.to_torch().state_dict(), path)
    else:
        net.save_weights(path)
    before = path.read_bytes()
    for array in given(net.graph, path).values():
        array[...] = 7
    assert path.read_bytes() == before


def test_a_compressed_checkpoint(tmp_path: Path) -> None:
    """`torch.load` reads one, but mapped into memory it would give other numbers, or none."""
    net = parse(TEXT)
    module = net.to_torch()
    torch.save(module.state_dict(), tmp_path / "w.pth")
    with ZipFile(tmp_path / "w.pth") as plain, ZipFile(tmp_path / "c.pth", "w", ZIP_DEFLATED) as compressed:
        for record in plain.infolist():
            compressed.writestr(record.filename, plain.read(record))
    found = given(net.graph, tmp_path / "c.pth")
    for key, tensor in module.state_dict().items():
        np.testing.assert_array_equal(found[key], tensor.numpy())


def test_torch_reads_the_file(weights: Weights, tmp_path: Path) -> None:
    to_file(weights, tmp_path / "w.safetensors")
    module = parse(TEXT).to_torch()
    module.load_state_dict(safetensors.torch.load_file(tmp_path / "w.safetensors"))
    np.testing.assert_array_equal(module.fc.weight.detach().numpy(), weights["fc.weight"])


def test_the_same_weights_give_the_same_file(weights: Weights, tmp_path: Path) -> None:
    shuffled = dict(sorted(weights.items(), reverse=True))
    for name, arrays in (("a", weights), ("b", weights), ("c", shuffled)):
        to_file(arrays, tmp_path / name)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again == other


def test_arrays_in_any_memory_order_are_written_as_they_read(tmp_path: Path) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    to_file({"layer.weight": turned}, tmp_path / "w")
    np.testing.assert_array_equal(given(one((3, 2), "zeros"), tmp_path / "w")["layer.weight"], turned)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_file_of_another_precision_is_converted(dtype: torch.dtype, tmp_path: Path) -> None:
    tensor = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).to(dtype)
    safetensors.torch.save_file({"layer.weight": tensor}, tmp_path / "w")
    found = given(one((3, 2), "zeros"), tmp_path / "w")["layer.weight"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, tensor.float().numpy())


@pytest.mark.parametrize("kind", ["array", "tensor", "file"])
def test_values_that_overflow_are_rejected(kind: str, tmp_path: Path) -> None:
    tensor = torch.tensor([[1.0, -1e300]], dtype=torch.float64)
    safetensors.torch.save_file({"layer.weight": tensor}, tmp_path / "w")
    handed = {
        "array": {"layer.weight": tensor.numpy()}, "tensor": {"layer.weight": tensor}, "file": tmp_path / "w",
    }  # fmt: skip
    with pytest.raises(ArchspecError, match=r"'layer.weight' holds numbers up to 1e\+300; the largest float32 is 3.4e"):
        given(one((1, 2), "zeros"), handed[kind])


def test_infinite_values_are_allowed() -> None:
    tensor = torch.tensor([[float("inf"), float("nan")]], dtype=torch.float64)
    found = given(one((1, 2), "zeros"), {"layer.weight": tensor})["layer.weight"]
    np.testing.assert_array_equal(found, tensor.numpy())


def test_an_unsupported_dtype_is_rejected(tmp_path: Path) -> None:
    safetensors.torch.save_file({"layer.weight": torch.ones(3, 2).to(torch.float8_e4m3fn)}, tmp_path / "w")
    with pytest.raises(ArchspecError, match=r"wrong dtype:  layer.weight  \[3, 2\]  got \[3, 2\] F8_E4M3") as error:
        given(one((3, 2), "zeros"), tmp_path / "w")
    assert code(error) == "wrong-weights"


def test_accepted_kinds_of_weights(graph: Graph, weights: Weights, tmp_path: Path) -> None:
    module = parse(TEXT).to_torch()
    module.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    to_file(weights, tmp_path / "w")
    for handed in (module, module.state_dict(), weights, tmp_path / "w", str(tmp_path / "w")):
        found = given(graph, handed)
        assert all((found[key] == array).all() for key, array in weights.items())
    for wrong, kind in ((3, "int"), (torch.nn.Linear, "type")):
        with pytest.raises(TypeError, match=f"not {kind}"):
            given(graph, wrong)


def test_sparse_tensors_are_converted_to_dense(graph: Graph, weights: Weights) -> None:
    found = given(graph, {key: torch.tensor(array).to_sparse() for key, array in weights.items()})
    for key, array in weights.items():
        np.testing.assert_array_equal(found[key], array)


# --- what does not fit ----------------------------------------------------------------------------------------------


def test_all_mismatches_are_in_one_diagnostic(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    del weights["c1.weight"]
    weights["extra"] = np.zeros((2, 3), np.float16)
    weights["fc.bias"] = np.zeros(7, np.float32)
    weights["c1.bias"] = np.zeros(4, np.int64)
    with pytest.raises(ArchspecError) as error:
        fitted(graph, weights)
    assert str(error.value) == (
        "error[wrong-weights]: the given weights do not fit 'net': "
        "1 missing, 1 unexpected, 1 wrong shape, 1 wrong dtype, 8 matched\n"
        "    missing:      c1.weight  [4, 3, 3, 3]\n"
        "    unexpected:   extra      [2, 3] float16\n"
        "    wrong shape:  fc.bias    [5]  got [7]\n"
        "    wrong dtype:  c1.bias    [4]  got [4] int64\n"
        "    help: use strict=False or --no-strict to load what fits; unmatched weights keep their initial values"
    )


def test_of_many_errors_the_first_are_shown_and_all_counted() -> None:
    layers = "".join(f"  - linear: {{name: l{i}, features: 4}}\n" for i in range(10))
    graph = parse(f"archspec: 1\nname: net\ninput: [4]\nlayers:\n{layers}").graph
    with pytest.raises(ArchspecError) as error:
        fitted(graph, {})
    assert str(error.value) == (
        "error[wrong-weights]: the given weights do not fit 'net': 20 missing, 0 matched\n"
        "    missing:  l0.weight  [4, 4]\n"
        "              l0.bias    [4]\n"
        "              l1.weight  [4, 4]\n"
        "              l1.bias    [4]\n"
        "              and 16 more\n"
        "    help: none of them fit: they belong to another network, or to one with other layer names"
    )


def test_the_count_of_batches_may_be_absent(graph: Graph, weights: dict[str, np.ndarray]) -> None:
    del weights["bn.num_batches_tracked"]
    found = fitted(graph, weights)
    assert found["bn.num_batches_tracked"] == 0
    assert found["bn.num_batches_tracked"].dtype == np.int64


def header(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 8,
        struct.pack("<Q", 2**60) + b"{}",
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}),
        header({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}) + b"\0" * 8,
        header({"a": 3}),
        header({}) + b"more",
    ],
    ids=["zeros", "endless header", "truncated", "wrong size", "no entry", "too long"],
)
def test_a_file_that_is_no_safetensors(graph: Graph, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(ArchspecError) as error:
        given(graph, path)
    assert code(error) == "wrong-weights"
    assert str(error.value).startswith(f"error[wrong-weights]: {path} is not a complete safetensors file: ")


def test_a_truncated_file(graph: Graph, weights: Weights, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    to_file(weights, path)
    whole = path.read_bytes()
    for length in (0, 4, 8, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ArchspecError) as error:
            given(graph, path)
        assert code(error) == "wrong-weights"


def test_a_file_that_cannot_be_read(graph: Graph, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, tmp_path / ("a" * 300)):
        with pytest.raises(ArchspecError) as error:
            given(graph, path)
        assert code(error) == "unreadable-file"


def test_a_file_that_cannot_be_written(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(ArchspecError) as error:
        to_file(weights, tmp_path / "none" / "w")
    assert code(error) == "unwritable-file"
