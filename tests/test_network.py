"""Networks as Python objects: copying, pickling, and creation from a graph without a spec."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
import torch

import archspec
from archspec.ir import Graph, GraphBuilder, to_text
from archspec.network import Network
from archspec.ops import Add, Conv, Flatten, GlobalAvgPool, Linear, Relu
from archspec.ops.norm import BatchNorm


def through_pickle(net: Network) -> Network:
    loaded: Network = pickle.loads(pickle.dumps(net))
    return loaded


@pytest.mark.parametrize("name", ["lenet5_1998", "googlenet"])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, through_pickle])
def test_a_copy_has_equal_facts_and_files(name: str, way: Callable[[Network], Network]) -> None:
    net = archspec.load(name)
    for copied in (way(net), way(net)):  # before and after its facts are computed
        assert copied.summary() == net.summary()
        assert copied.as_json() == net.as_json()
        assert copied.source() == net.source()


def small_graph() -> Graph:
    b = GraphBuilder("tiny")
    image = b.input("image", (3, 16, 16))
    x = b.apply(Conv(channels=4, kernel=3, padding=1, bias=False), image)
    for i in range(2):
        with b.scope(f"stage{i}", kind="block", block="basic"):
            y = b.apply(Conv(channels=4, kernel=3, padding=1, bias=False), x, name="conv")
            y = b.apply(BatchNorm(), y, name="norm")
            x = b.apply(Add(), x, b.apply(Relu(), y))
    x = b.apply(Linear(features=5), b.apply(Flatten(), b.apply(GlobalAvgPool(), x)), name="fc")
    b.output("logits", x)
    return b.build()


def test_a_network_needs_no_spec(tmp_path: Path) -> None:
    net = Network.from_graph(small_graph())
    assert (net.spec, net.variant, net.title, net.reference) == (None, None, "", "")
    assert repr(net) == "<Network tiny: 12 layers, 437 params, 101,396 MACs>"
    assert "stage0" in net.summary()
    assert net.as_json()["name"] == "tiny"
    assert net["stage1.conv"].receptive_field == (7, 7)
    assert net.text == to_text(net.graph)
    net.save_json(tmp_path / "net.json")
    net.save_source(tmp_path / "net.py")
    net.draw(tmp_path / "net.dot")
    assert "stage1" in (tmp_path / "net.dot").read_text()
    assert through_pickle(net).summary() == net.summary()


def test_a_network_without_a_spec_runs_equally_on_all_targets(tmp_path: Path) -> None:
    net = Network.from_graph(small_graph())
    weights = net.weights(seed=1)
    model = net.to_torch(weights).eval()
    x = torch.randn(2, 3, 16, 16)
    expected = model(x).detach()
    assert net.weights_report(model).complete
    net.save_weights(tmp_path / "net.safetensors", model)
    torch.testing.assert_close(net.to_torch(tmp_path / "net.safetensors").eval()(x), expected)
    net.to_onnx(tmp_path / "net.onnx", weights, verify=True)
    (found,) = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"image": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-5)
    lean = net.optimized(weights)
    assert len(lean.graph.nodes) == 10
    torch.testing.assert_close(lean.to_torch().eval()(x), expected, rtol=1e-4, atol=1e-5)
    assert "layers.Conv2D" in net.source("keras")


def test_an_invalid_graph_makes_no_network() -> None:
    graph = small_graph()
    empty = replace(graph, outputs=(), body=replace(graph.body, outputs=()))
    with pytest.raises(archspec.ArchspecError, match="the graph 'tiny' is invalid: it has no outputs"):
        Network.from_graph(empty)
