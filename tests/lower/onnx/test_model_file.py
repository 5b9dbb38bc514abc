"""ONNX files: one or two, checked, and written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.loading import parse
from archspec.lower.onnx import export, save
from archspec.lower.onnx.external_weights import OnnxModel
from tests.lower.onnx.runtime import random_inputs, random_weights, session

TEXT = """
archspec: 1
name: net
input: [4, 8, 8]
layers:
  - conv: {name: c1, channels: 16, kernel: 3}
  - relu
  - conv: {name: c2, channels: 40, kernel: 3, padding: 1}
  - global_avg_pool
  - flatten
  - linear: {name: fc, features: 30}
"""


@pytest.fixture
def graph() -> Graph:
    return parse(TEXT).graph


@pytest.fixture
def model(graph: Graph) -> OnnxModel:
    return export(graph, random_weights(graph))


def broken(model: OnnxModel) -> OnnxModel:
    """A model that the checker rejects: a node reads an undefined value."""
    model.proto.graph.node[0].input[0] = "nothing"
    return model


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_small_model_is_one_file(model: OnnxModel, tmp_path: Path) -> None:
    save(model, tmp_path / "net.onnx")
    assert names(tmp_path) == ["net.onnx"]
    onnx.checker.check_model(tmp_path / "net.onnx", full_check=True)
    assert onnx.load(tmp_path / "net.onnx") == model.to_proto()


def test_a_large_model_is_two_files_that_run_together(graph: Graph, model: OnnxModel, tmp_path: Path) -> None:
    before = model.to_proto()
    save(model, str(tmp_path / "net.onnx"), limit=1000)
    assert names(tmp_path) == ["net.onnx", "net.onnx.data"]
    assert model.to_proto() == before
    onnx.checker.check_model(tmp_path / "net.onnx", full_check=True)
    bare = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    outside = {t.name: {e.key: e.value for e in t.external_data} for t in bare.graph.initializer if t.external_data}
    # 16*4*3*3, 40*16*3*3 and 30*40 numbers of 4 bytes; the biases are below a kibibyte and stay.
    assert {name: int(entry["length"]) for name, entry in outside.items()} == {
        "c1.weight": 2304,
        "c2.weight": 23040,
        "fc.weight": 4800,
    }
    assert all(int(entry["offset"]) % 4096 == 0 for entry in outside.values())
    assert all(entry["location"] == "net.onnx.data" for entry in outside.values())
    runner = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    inputs = dict(random_inputs(graph, 2))
    np.testing.assert_array_equal(runner.run(None, inputs)[0], session(before).run(None, inputs)[0])


def test_the_same_model_gives_the_same_files(model: OnnxModel, tmp_path: Path) -> None:
    for limit in (0, 10**9):
        written = []
        for folder in (tmp_path / f"a{limit}", tmp_path / f"b{limit}"):
            folder.mkdir()
            save(model, folder / "net.onnx", limit=limit)
            written.append({path.name: path.read_bytes() for path in folder.iterdir()})
        assert written[0] == written[1]


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_link_stays_and_the_weights_are_beside_its_target(model: OnnxModel, tmp_path: Path, limit: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.onnx").symlink_to("folder/net.onnx")
    save(model, tmp_path / "link.onnx", limit=limit)
    assert (tmp_path / "link.onnx").is_symlink()
    assert names(tmp_path) == ["folder", "link.onnx"]
    assert names(tmp_path / "folder") == ["net.onnx"] + ["net.onnx.data"] * (limit == 0)
    onnx.checker.check_model(tmp_path / "folder" / "net.onnx", full_check=True)


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_model_that_the_checker_rejects_is_not_written(model: OnnxModel, tmp_path: Path, limit: int) -> None:
    with pytest.raises(ArchspecError) as error:
        save(broken(model), tmp_path / "net.onnx", limit=limit)
    assert error.value.diagnostics[0].code == "invalid-graph"
    assert names(tmp_path) == []


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_file_that_cannot_be_written_leaves_nothing(model: OnnxModel, tmp_path: Path, limit: int) -> None:
    (tmp_path / "net.onnx").mkdir()
    with pytest.raises(ArchspecError) as error:
        save(model, tmp_path / "net.onnx", limit=limit)
    assert error.value.diagnostics[0].code == "unwritable-file"
    assert names(tmp_path) == ["net.onnx"]


def test_a_missing_folder_is_a_diagnostic(model: OnnxModel, tmp_path: Path) -> None:
    with pytest.raises(ArchspecError) as error:
        save(model, tmp_path / "none" / "net.onnx")
    assert error.value.diagnostics[0].code == "unwritable-file"
