"""Blocks as functions of an ONNX model: what is shared, names, and the outputs of the model without functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import archspec
from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.lower.onnx import OPSET, export
from tests.lower.onnx.runtime import inferred_shapes, random_inputs, session, shapes
from tests.zoo.small import small

NETWORKS = (
    "resnet18", "mobilenet_v3_small", "vit_b_16", "fractalnet20", "capsnet", "wavenet_block", "googlenet", "unet",
    "vgg16_attention", "shufflenet_v2_x1_0", "yolox_tiny",
)  # fmt: skip
"""Networks with blocks: nested and recursive, with several inputs or outputs, and with weights that are shared."""

STRUCTURES = """archspec: 1
name: structures
input: [4, 6, 6]
blocks:
  unit:
    args: {width: ~, act: relu}
    layers:
      - conv: {name: conv, channels: width, kernel: 3, padding: 1}
      - $act: {name: act}
  pair:
    args: [width]
    layers:
      - unit: {name: one, width: width}
      - residual: [unit: {name: two, width: width}]
  gate:
    inputs: [skip, signal]
    layers:
      - add: [skip, signal]
      - sigmoid
      - mul: [skip, prev]
  nested:
    args: [depth]
    layers:
      - relu
      - residual: {when: depth > 0, layers: [nested: {depth: depth - 1}]}
layers:
  - pair: {name: a, width: 4}
  - pair: {name: b, width: 4}
  - unit: {name: c, width: 4, act: silu}
  - unit: {name: d, width: 4, share: a.one}
  - gate: {name: e, from: [a, d]}
  - gate: {name: f, from: {skip: e, signal: b.one}}
  - parallel: {paths: {left: [unit: {width: 2}], right: [upsample: 2, max_pool: 2, unit: {width: 2}]}, join: concat}
  - repeat: {times: 2, layers: [unit: {width: 4}]}
  - nested: {name: g, depth: 3}
outputs: {output: g, inner: b.two.conv, again: f, same: f}
"""


def exported(graph: Graph, weights: dict[str, np.ndarray], *, dynamic: bool = False) -> onnx.ModelProto:
    """The model with functions, which must pass ONNX's checks and compute what the one without them does."""
    flat = export(graph, weights, dynamic=dynamic).to_proto()
    model = export(graph, weights, dynamic=dynamic, functions=True).to_proto()
    onnx.checker.check_model(model, full_check=True)
    found = inferred_shapes(model)
    assert {name: found[name] for name in shapes(model.graph.output)} == shapes(flat.graph.output) or dynamic
    inputs = dict(random_inputs(graph, 2))
    for result, wanted in zip(session(model).run(None, inputs), session(flat).run(None, inputs), strict=True):
        np.testing.assert_array_equal(result, wanted)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_compute_the_same_with_functions(name: str) -> None:
    net = small(name)
    model = exported(net.graph, net.weights())
    assert model.functions
    assert len({function.name for function in model.functions}) == len(model.functions)


def test_structures() -> None:
    net = archspec.parse(STRUCTURES)
    model = exported(net.graph, net.weights())
    calls = {node.name: node.op_type for node in model.graph.node if node.domain}
    assert calls["a"] == "pair"
    assert calls["b"] == "pair_2"  # a layer inside is an output of the network
    assert calls["c"] == "unit_3"  # another activation; `unit_2` is the one in `b` with the output
    assert calls["d"] == "unit"  # as in `a`
    assert (calls["e"], calls["f"]) == ("gate", "gate")
    functions = {function.name: function for function in model.functions}
    assert list(functions["unit"].input) == ["input", "conv.weight", "conv.bias"]
    assert list(functions["gate"].input) == ["skip", "signal"]
    assert [node.op_type for node in functions["pair"].node] == ["unit", "unit", "Add"]
    shared = next(node for node in model.graph.node if node.name == "d")
    assert list(shared.input)[1:] == ["a.one.conv.weight", "a.one.conv.bias"]


def test_optimized_networks_and_dynamic_sizes(tmp_path: Path) -> None:
    net = small("resnet18")
    weights = net.weights()
    fast = net.optimized(weights)
    exported(fast.graph, fast.weights())
    exported(net.graph, weights, dynamic=True)
    net.to_onnx(tmp_path / "net.onnx", weights, functions=True, dynamic=True, verify=True)


@pytest.mark.parametrize("name", ["unet_padded", "yolox_tiny"])
def test_dynamic_sizes_with_crops_and_resizing(name: str) -> None:
    net = small(name)
    exported(net.graph, net.weights(), dynamic=True)


def test_deep_recursions_end_in_a_block_without_functions() -> None:
    text = """archspec: 1
name: deep
input: [4]
blocks: {r: {args: [depth], layers: [relu, r: {depth: depth - 1, when: depth > 0}]}}
layers: [r: {depth: 110}]
"""
    model = exported(archspec.parse(text).graph, {})
    assert len(model.functions) == 50


def test_names_versions_and_size() -> None:
    graph = small("vit_b_16").graph
    flat, model = export(graph, None).to_proto(), export(graph, None, functions=True).to_proto()
    versions = {version.domain: version.version for version in model.opset_import}
    assert versions == {"": OPSET, "archspec.vit_b_16": 1}
    (function,) = model.functions
    assert (function.domain, function.name) == ("archspec.vit_b_16", "encoder_layer")
    assert [value.name for value in model.graph.input] == [value.name for value in flat.graph.input]
    assert model.ByteSize() < flat.ByteSize() / 2
    assert export(graph, None, functions=True, opset=15).to_proto().ir_version == 8


def test_an_opset_without_functions() -> None:
    with pytest.raises(ArchspecError) as error:
        export(small("resnet18").graph, None, functions=True, opset=14)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == "ONNX opset 14 has no functions"
    assert diagnostic.help == f"opsets 15 to {onnx.defs.onnx_opset_version()} have them"


def test_constants_are_inside_if_they_are_small() -> None:
    text = """archspec: 1
name: constants
input: [3, 24, 24]
blocks: {b: {layers: [relu6, adaptive_avg_pool: [17, 6]]}}
layers: [b]
"""
    model = exported(archspec.parse(text).graph, {})
    assert [tensor.name for tensor in model.graph.initializer] == ["const/b.adaptive_avg_pool/means2"]
    (function,) = model.functions
    assert [node.op_type for node in function.node].count("Constant") == 2
