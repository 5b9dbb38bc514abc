"""Weights that fit several variants of a spec are told apart as far as the zoo and the name of the file can."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec
from archspec.siblings import advice, siblings
from tests.test_cli import run


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("resnet50", ["resnet50_v1"]),  # strides in the 3×3 convolutions, or in the 1×1 ones before them
        ("resnet101_v1", ["resnet101"]),
        ("resnet18", []),
        ("lenet5", []),
        ("mobilenet_v1", []),
    ],
)
def test_siblings(name: str, others: list[str]) -> None:
    assert siblings(archspec.load(name)) == others


def test_siblings_have_the_same_params_and_inputs() -> None:
    assert siblings(archspec.load("resnet50", input=(3, 64, 64), classes=10)) == ["resnet50_v1"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("resnet50-0676ba61.pth", None),
        ("ResNet50.safetensors", None),
        ("resnet50_v1.pth",
         "note: resnet50_v1.pth may hold weights of 'resnet50_v1', whose ops differ from those of 'resnet50'"),
        ("best.pth", "note: weights of resnet50_v1 have the same shapes, but its ops differ from those of 'resnet50'"),
    ],
)  # fmt: skip
def test_the_name_of_a_file_may_tell(file: str, said: str | None) -> None:
    network = archspec.load("resnet50")
    assert advice(network, siblings(network), Path(file)) == said


def test_loading_a_file_says_so(tmp_path: Path) -> None:
    text = "archspec: 1\nname: n\ninput: [3, 8, 8]\nparams: {act: relu}\nvariants: {a: {}, b: {act: silu}}\n"
    net = archspec.parse(text + "layers: [conv: {channels: 4, kernel: 3}, $act]\n", variant="a")
    net.save_weights(tmp_path / "w.safetensors")
    net.save_weights(tmp_path / "a.safetensors")
    note = "note: weights of b have the same shapes, but its ops differ from those of 'a'"
    for load in (net.to_torch, net.weights):
        with pytest.warns(UserWarning, match=note) as found:
            load(tmp_path / "w.safetensors")
        assert found[0].filename == __file__
    net.to_torch(tmp_path / "a.safetensors")
    net.to_torch(net.weights())
    report = net.weights_report(tmp_path / "w.safetensors")
    assert (report.siblings, report.text().splitlines()[-1]) == (("b",), note)
    assert net.weights_report(tmp_path / "a.safetensors").note is None


def test_the_command_line_says_so(tmp_path: Path) -> None:
    spec = "archspec: 1\nname: n\ninput: [3, 8, 8]\nparams: {act: relu}\nvariants: {a: {}, b: {act: silu}}\n"
    (tmp_path / "n.yaml").write_text(spec + "layers: [conv: {channels: 4, kernel: 3}, $act]\n")
    run("compile", "n.yaml:a", "-o", "a.safetensors", cwd=tmp_path)
    (tmp_path / "a.safetensors").rename(tmp_path / "w.safetensors")
    note = "note: weights of b have the same shapes, but its ops differ from those of 'a'"
    assert run("weights", "n.yaml:a", "w.safetensors", cwd=tmp_path)[0].splitlines()[-1] == note
    assert '"siblings": [\n    "b"' in run("weights", "n.yaml:a", "w.safetensors", "--json", cwd=tmp_path)[0]
    _, err = run("compile", "n.yaml:a", "--weights", "w.safetensors", "-o", "n.onnx", cwd=tmp_path)
    assert err.splitlines() == [note, "wrote n.onnx"]
    assert "note" not in run("compile", "n.yaml:a", "-o", "n.onnx", cwd=tmp_path)[1]
