"""Models with dynamic height and width: which networks and layers allow it, and what the models compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import archspec
from tests.lower.onnx.runtime import shapes
from tests.zoo.small import small

DYNAMIC = ("resnet18", "preact_resnet18", "resnet20_cifar", "unet_padded", "googlenet")
"""Networks without a layer that works at one size only, some with `ceil` and cropping."""


def spec(layers: str, shape: str = "[4, 16, 16]") -> str:
    return f"archspec: 1\nname: net\ninput: {shape}\nlayers:\n{layers}\n"


def rejected(text: str, path: Path) -> archspec.Diagnostic:
    with pytest.raises(archspec.ArchspecError) as error:
        archspec.parse(text, name="net.yaml").to_onnx(path, dynamic=True)
    assert not path.exists()
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unsupported"
    return diagnostic


@pytest.mark.parametrize("name", DYNAMIC)
def test_one_file_computes_the_modules_outputs_at_every_size(name: str, tmp_path: Path) -> None:
    net = small(name)
    module = net.to_torch().eval()
    net.to_onnx(tmp_path / "net.onnx", module, dynamic=True)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    channels, height, width = net.inputs["input"]
    for rows, columns in ((0, 0), (32, 0), (16, 48), (64, 32)):
        images = torch.randn(1, channels, height + rows, width + columns)
        with torch.no_grad():
            expected = module(images).numpy()
        (got,) = session.run(None, {"input": images.numpy()})
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_dynamic_axes_are_symbols_shared_by_axes_of_equal_length(tmp_path: Path) -> None:
    text = spec("  - conv: {name: same, channels: 2, kernel: 3, padding: 1}\n  - max_pool: {name: half, kernel: 2}")
    net = archspec.parse(f"{text}outputs: [same, half]\n")
    net.to_onnx(tmp_path / "net.onnx", dynamic=True)
    model = onnx.load(tmp_path / "net.onnx")
    assert shapes(model.graph.input) == {"input": ["N", 4, "height", "width"]}
    assert shapes(model.graph.output) == {
        "same": ["N", 2, "height", "width"],
        "half": ["N", 2, "half_height", "half_width"],
    }


@pytest.mark.parametrize(
    ("shape", "names"),
    [("[4, 16]", ["length"]), ("[4, 8, 8, 8]", ["depth", "height", "width"])],
    ids=["a series", "a volume"],
)
def test_the_axes_of_series_and_volumes(shape: str, names: list[str], tmp_path: Path) -> None:
    archspec.parse(spec("  - conv: {channels: 2, kernel: 3}", shape)).to_onnx(tmp_path / "net.onnx", dynamic=True)
    assert shapes(onnx.load(tmp_path / "net.onnx").graph.input) == {"input": ["N", 4, *names]}


@pytest.mark.parametrize(
    "layer",
    [
        "max_pool: {kernel: 3, stride: 2, ceil: true}",
        "max_pool: {kernel: 3, stride: 2, padding: 1, ceil: true}",
        "avg_pool: {kernel: 3, stride: 2, ceil: true}",
        "avg_pool: {kernel: 3, stride: 2, padding: 1, ceil: true}",
        "group_norm: {groups: 2}",
        "group_norm: {groups: 2, affine: false}",
        "adaptive_avg_pool: 1",
        "upsample: 2",
        "upsample: {scale: 2, mode: bilinear}",
        "local_response_norm: 3",
        "pad: 3",
        "conv_transpose: {channels: 3, kernel: 2, stride: 2}",
    ],
)
def test_layers_that_run_at_any_size(layer: str, tmp_path: Path) -> None:
    """Verified in ONNX Runtime against the module, at four sizes, some of them odd."""
    net = archspec.parse(spec(f"  - {layer}"))
    (difference,) = net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)
    assert difference.relative <= 1e-5


@pytest.mark.parametrize(
    ("layers", "name", "line"),
    [
        ("  - flatten\n  - linear: {name: fc, features: 3}", "fc", 6),
        ("  - reshape: {name: rows, sizes: [32, 32]}", "rows", 5),
        ("  - relu\n  - adaptive_avg_pool: {name: pool, size: 4}", "pool", 6),
        ("  - upsample: {name: up, size: 40}", "up", 5),
        ("  - conv: {name: half, channels: 2, kernel: 3, stride: 2, padding: same}", "half", 5),
    ],
)
def test_the_error_names_the_layer_that_works_at_one_size_only(
    layers: str, name: str, line: int, tmp_path: Path
) -> None:
    diagnostic = rejected(spec(layers), tmp_path / "net.onnx")
    assert diagnostic.span is not None
    assert diagnostic.span.line == line
    assert f"'{name}'" in diagnostic.message or diagnostic.notes[0][0] == "at another size:"


def test_inputs_without_spatial_axes_have_no_dynamic_size(tmp_path: Path) -> None:
    diagnostic = rejected(spec("  - linear: 3", "[4]"), tmp_path / "net.onnx")
    assert diagnostic.message == "the inputs of 'net' have no height and width that could be dynamic"


def test_overridden_params_apply_at_other_sizes(tmp_path: Path) -> None:
    net = archspec.load("resnet20_cifar", classes=7)
    net.to_onnx(tmp_path / "net.onnx", dynamic=True)
    assert shapes(onnx.load(tmp_path / "net.onnx").graph.output) == {"output": ["N", 7]}


def test_an_optimized_network_can_be_dynamic(tmp_path: Path) -> None:
    net = small("resnet20_cifar").optimized()
    (difference,) = net.to_onnx(tmp_path / "net.onnx", dynamic=True, verify=True)
    assert difference.relative <= 1e-4
    model = onnx.load(tmp_path / "net.onnx")
    assert shapes(model.graph.input) == {"input": ["N", 3, "height", "width"]}
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_same_input_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        small("resnet18").to_onnx(tmp_path / name, dynamic=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
