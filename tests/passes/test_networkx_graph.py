"""`Network.to_networkx`: its attributes, and questions that people ask of a network."""

from __future__ import annotations

import subprocess
import sys

import networkx as nx
import pytest

import archspec

SPEC = """
archspec: 1
name: small
inputs: {image: [4, 8, 8]}
blocks:
  twice:
    layers:
      - conv: {name: conv, channels: 4, kernel: 3, padding: 1}
      - add: {from: [conv, conv]}
layers:
  - twice: {name: one}
  - twice: {name: two, share: one}
  - split: {name: parts, axis: 1, sizes: [1, 3]}
  - concat: {name: whole, from: [parts.1, parts.0]}
  - side: {name: aux, training_only: true, layers: [global_avg_pool]}
outputs: {whole: whole, aux: aux}
"""


def test_nodes_and_edges_have_attributes() -> None:
    graph = archspec.parse(SPEC).to_networkx()
    assert list(graph) == [
        "input:image", "one.conv", "one.add", "two.conv", "two.add", "parts", "whole", "aux.global_avg_pool",
        "output:whole", "output:aux",
    ]  # fmt: skip
    assert graph.nodes["input:image"] == {
        "kind": "input", "shape": (4, 8, 8), "shapes": ((4, 8, 8),), "receptive_field": (1, 1),
    }  # fmt: skip
    assert graph.nodes["two.conv"] == {
        "kind": "layer", "shape": (4, 8, 8), "shapes": ((4, 8, 8),), "receptive_field": (5, 5), "op": "conv",
        "attributes": {"channels": 4, "kernel": 3, "padding": 1}, "params": 0, "macs": 36 * 4 * 64, "scope": "two",
        "block": "twice", "training_only": False, "shared_from": "one.conv",
    }  # fmt: skip
    assert graph.nodes["parts"]["shapes"] == ((1, 8, 8), (3, 8, 8))
    assert graph.nodes["aux.global_avg_pool"]["training_only"]
    assert graph.nodes["output:aux"]["kind"] == "output"
    assert graph.edges["one.conv", "one.add"]["values"] == ("one.conv", "one.conv")
    assert graph.edges["one.conv", "one.add"]["bytes"] == 4 * 64 * 4
    joined = graph.edges["parts", "whole"]
    assert (joined["values"], joined["shapes"]) == (("parts.1", "parts.0"), ((3, 8, 8), (1, 8, 8)))


@pytest.mark.parametrize("name", ["lenet5_1998", "resnet50", "googlenet", "unet", "yolox_s", "capsnet"])
def test_the_whole_graph_is_there(name: str) -> None:
    net = archspec.load(name)
    graph = net.to_networkx()
    sources = {value: node for node in net.graph.nodes for value in node.outputs}
    layers = [node for node, kind in graph.nodes(data="kind") if kind == "layer"]
    assert layers == [node.name for node in net.graph.nodes]
    assert sum(graph.nodes[layer]["params"] for layer in layers) == net.params
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.number_of_edges() == sum(
        len({sources.get(value, value) for value in node.inputs}) for node in net.graph.nodes
    ) + len(net.graph.outputs)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg16", "densenet121"])
def test_the_longest_path_of_weighted_layers_is_the_depth(name: str) -> None:
    net = archspec.load(name)
    graph = net.to_networkx()
    for _, reader, data in graph.edges(data=True):
        data["weighted"] = int(graph.nodes[reader].get("op") in ("conv", "linear"))
    assert nx.dag_longest_path_length(graph, weight="weighted") == net.facts.depth


def test_the_path_with_the_most_macs_leaves_out_shortcuts() -> None:
    net = archspec.load("resnet50")
    path = nx.dag_longest_path(net.to_networkx(), weight="macs")
    assert "layer1.0.conv1" in path
    assert "layer1.0.downsample.0" not in path


def test_articulation_points_are_what_every_path_passes() -> None:
    points = set(nx.articulation_points(archspec.load("resnet18").to_networkx().to_undirected()))
    assert {"conv1", "fc", "avgpool"} <= points
    assert not any("conv" in name for name in points if name.startswith("layer"))


def test_what_depends_on_a_layer() -> None:
    graph = archspec.load("googlenet").to_networkx()
    below = nx.descendants(graph, "inception4a.branch1.conv")
    assert {"aux1.fc2", "aux2.fc2", "fc"} <= below
    assert "inception3b.branch1.conv" not in below
    assert "inception3b.branch1.conv" in nx.ancestors(graph, "inception4a.branch1.conv")


def test_the_narrowest_place_of_a_network() -> None:
    net = archspec.load("resnet18")
    graph = net.to_networkx()
    value, (_, behind) = nx.minimum_cut(graph, "input:input", f"output:{net.graph.outputs[0].name}", capacity="bytes")
    assert value == 512 * 4  # the pooled features: fewer bytes than the logits
    assert "fc" in behind


def test_summaries_do_not_import_networkx() -> None:
    script = "import archspec, sys; archspec.load('resnet18').summary(); print('networkx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_networkx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(archspec.ArchspecError) as error:
        archspec.load("lenet5_1998").to_networkx()
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.help) == ("missing-library", "pip install networkx")


def test_no_two_nodes_have_one_name() -> None:
    for name in ("faster_rcnn_resnet50_fpn", "vit_b_16", "yolox_s"):
        net = archspec.load(name)
        assert len(net.to_networkx()) == len(net.graph.nodes) + len(net.graph.inputs) + len(net.graph.outputs)
