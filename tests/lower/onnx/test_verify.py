"""Verified files, structures without weights, and metadata."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import archspec
from archspec.lower.onnx import OPSETS, RUNTIME_OPSET, loaded, save
from archspec.lower.torch import inference
from archspec.lower.verify import differences, random_inputs
from tests.zoo.small import small

TEXT = """
archspec: 1
name: net
summary: A small network
reference: Somebody, 1998
input: [3, 8, 8]
layers:
  - conv: {name: conv, channels: 16, kernel: 3}
  - batch_norm: {name: norm}
  - side: {name: aux, training_only: true, layers: [flatten, linear: {name: head, features: 3}]}
  - global_avg_pool
  - flatten: {name: features}
  - linear: {name: logits, features: 100}
outputs: [features, logits, aux]
"""


@pytest.fixture
def net() -> archspec.Network:
    return archspec.parse(TEXT)


@pytest.mark.parametrize("limit", [0, 10**9], ids=["two files", "one file"])
def test_verifying_returns_the_difference_of_each_output(
    net: archspec.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(save, "__kwdefaults__", {"limit": limit, "accept": None})
    found = net.to_onnx(tmp_path / "net.onnx", verify=True)
    assert [each.output for each in found] == ["features", "logits"]
    assert all(0 <= each.relative <= 1e-5 for each in found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.onnx.data"][: 2 if limit == 0 else 1]


@pytest.mark.parametrize("limit", [0, 10**9], ids=["two files", "one file"])
def test_a_file_with_wrong_outputs_is_not_written(
    net: archspec.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(save, "__kwdefaults__", {"limit": limit, "accept": None})
    right = inference.outputs
    monkeypatch.setattr(inference, "outputs", lambda *of: {**right(*of), "logits": right(*of)["logits"] * 1.01})
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_onnx(tmp_path / "net.onnx", verify=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "wrong-numbers"
    assert len(diagnostic.notes) == 1
    assert diagnostic.notes[0][0].startswith("logits: off by at most ")
    assert not list(tmp_path.iterdir())


def test_differences_are_those_of_numpy(net: archspec.Network, tmp_path: Path) -> None:
    """The largest difference over all samples, absolute and relative to the largest element."""
    net.to_onnx(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    samples = [random_inputs(net.graph, seed) for seed in range(3)]
    zeros = {"features": np.zeros((2, 16), np.float32), "logits": np.ones((2, 100), np.float32)}
    features, logits = differences(loaded(tmp_path / "net.onnx"), [(inputs, lambda _: zeros) for inputs in samples])
    outputs = [session.run(None, dict(inputs)) for inputs in samples]
    assert features.absolute == features.relative == max(float(np.abs(own[0]).max()) for own in outputs)
    assert logits.relative == pytest.approx(max(float(np.abs(own[1] - 1).max()) for own in outputs))


@pytest.mark.parametrize("opset", [opset for opset in OPSETS if opset > RUNTIME_OPSET])
def test_an_opset_that_onnx_runtime_cannot_load(net: archspec.Network, tmp_path: Path, opset: int) -> None:
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_onnx(tmp_path / "net.onnx", opset=opset, verify=True)
    assert error.value.diagnostics[0].message == "ONNX Runtime cannot load the file"
    assert not list(tmp_path.iterdir())
    with pytest.warns(UserWarning, match=f"loads opsets up to {RUNTIME_OPSET}, not {opset}"):
        net.to_onnx(tmp_path / "net.onnx", opset=opset)
    onnx.checker.check_model(tmp_path / "net.onnx")


def test_without_onnx_runtime(net: archspec.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(archspec.ArchspecError) as error:
        net.to_onnx(tmp_path / "net.onnx", verify=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "missing-library"
    assert diagnostic.help == "pip install 'archspec-compiler[onnxruntime]'"
    net.to_onnx(tmp_path / "net.onnx")


def test_a_structure_takes_its_weights_as_inputs(net: archspec.Network, tmp_path: Path) -> None:
    module = net.to_torch().eval()
    net.to_onnx(tmp_path / "net.onnx", structure=True)
    model = onnx.load(tmp_path / "net.onnx")
    assert not [tensor.name for tensor in model.graph.initializer if not tensor.name.startswith("const/")]
    arrays = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    names = [value.name for value in model.graph.input]
    needed = [key for key in arrays if not key.startswith("aux.") and not key.endswith("num_batches_tracked")]
    assert names == ["input", *needed]
    images = torch.randn(2, 3, 8, 8)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    got = session.run(None, {"input": images.numpy(), **{key: arrays[key] for key in needed}})
    with torch.no_grad():
        expected = module(images)
    for own, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(own, other.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("more", [{"verify": True}, {"weights": {}}])
def test_a_structure_cannot_be_verified(net: archspec.Network, tmp_path: Path, more: dict[str, object]) -> None:
    with pytest.raises(archspec.ArchspecError, match="a file without weights cannot be combined with"):
        net.to_onnx(tmp_path / "net.onnx", structure=True, **more)


@pytest.mark.parametrize("limit", [0, 10**9], ids=["two files", "one file"])
def test_metadata_is_stored(net: archspec.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(save, "__kwdefaults__", {"limit": limit, "accept": None})
    net.to_onnx(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "spec": "net",
        "summary": "A small network",
        "reference": "Somebody, 1998",
        "parameters": str(net.params),
        "macs": str(net.macs),
    }
    assert model.producer_name == "archspec"


def test_the_variant_is_stored(tmp_path: Path) -> None:
    small("resnet20_cifar").to_onnx(tmp_path / "net.onnx")
    facts = {entry.key: entry.value for entry in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert (facts["spec"], facts["variant"]) == ("resnet_cifar", "resnet20_cifar")
