"""Transforms preserve the outputs: each alone, and all of them on the networks of the zoo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import archspec
from archspec.ir.graph import Graph
from archspec.ir.verifier import verify
from archspec.lower import weights
from archspec.lower.onnx.rules import RULES as ONNX
from archspec.lower.onnx.rules.common import identity
from archspec.lower.optimize import TRANSFORMS
from archspec.network import Network
from tests.op_samples import GOOD, Sample
from tests.zoo.small import DISTINCT, random_tensors, small

HEAD = "archspec: 1\nname: net\ninput: [4, 9, 9]\nlayers:\n"

SPECS = {
    "conv": "  - conv: {channels: 6, kernel: 3, groups: 2, bias: false}\n  - batch_norm\n",
    "bias": "  - conv: {channels: 6, kernel: 3}\n  - batch_norm: {affine: false, eps: 0.1}\n  - relu\n",
    "frozen": "  - conv: {channels: 6, kernel: 3, bias: false}\n  - frozen_batch_norm: {eps: 0.1}\n",
    "transposed": "  - conv_transpose: {channels: 6, kernel: 3, groups: 2, stride: 2}\n  - batch_norm\n",
    "linear": "  - flatten\n  - linear: 7\n  - batch_norm\n  - dropout\n",
    "padding": "  - pad: [[1, 2], [0, 1]]\n  - conv: {channels: 5, kernel: 3, padding: 1, stride: 2}\n",
    "two_convs": "  - pad: {name: p, padding: 1}\n  - conv: {name: a, channels: 5, kernel: 3}\n"
    "  - conv: {channels: 5, kernel: 3, from: p}\n  - add: {from: [a, conv]}\n",
    "numbers": "  - sequential: {naming: index, layers: [conv: {channels: 4, kernel: 3}, batch_norm, relu, dropout, "
    "sequential: {naming: index, layers: [identity, conv: {channels: 3, kernel: 3}]}]}\n",
    "lent": "  - side: {training_only: true, layers: [conv: {name: aux, channels: 4, kernel: 3}]}\n"
    "  - conv: {channels: 4, kernel: 3, share: aux}\n  - relu\n  - conv: {channels: 4, kernel: 3, share: aux}\n"
    "outputs: {main: conv_1, aux: aux}\n",
    "side": "  - conv: {channels: 4, kernel: 3}\n  - side: {training_only: true, layers: [flatten, linear: {name: aux, "
    "features: 3}]}\n  - relu\noutputs: {main: relu, aux: aux}\n",
}
LEFT = {
    "conv": ["conv"], "bias": ["conv", "relu"], "frozen": ["conv"], "transposed": ["conv_transpose"],
    "linear": ["flatten", "linear"], "padding": ["conv"], "two_convs": ["conv", "conv", "add"],
    "numbers": ["conv", "relu", "conv"], "lent": ["conv", "relu", "conv"], "side": ["conv", "relu"],
}  # fmt: skip
"""The ops that remain of each spec."""

STAYS = {
    "read_twice": "  - conv: {name: c, channels: 4, kernel: 3}\n  - batch_norm\n  - add: {from: [c, batch_norm]}\n",
    "returned": "  - conv: {name: c, channels: 4, kernel: 3}\n  - batch_norm\noutputs: {a: c, b: batch_norm}\n",
    "shared": "  - conv: {name: c, channels: 4, kernel: 3, padding: 1}\n  - batch_norm\n"
    "  - conv: {channels: 4, kernel: 3, padding: 1, share: c}\n  - batch_norm\n",
    "last_axis": "  - linear: 7\n  - batch_norm\n",
    "first": "  - batch_norm\n  - conv: {channels: 4, kernel: 3}\n",
    "mirrored": "  - pad: {padding: 1, mode: reflect}\n  - conv: {channels: 4, kernel: 3}\n",
    "wrapped": "  - pad: 1\n  - conv: {channels: 4, kernel: 3, padding: 1, padding_mode: circular}\n",
    "pooled": "  - pad: 1\n  - max_pool: 3\n",
    "identity": "  - identity\n",
}
"""Specs that no transform changes."""


def lively(net: Network) -> nn.Module:
    """A module with weights and statistics other than the initial ones."""
    torch.manual_seed(0)
    module = net.to_torch().eval()
    for key, tensor in module.state_dict().items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.dim() == 1 and tensor.is_floating_point():
            tensor.add_(torch.rand_like(tensor) * 0.02)
    return module


def outputs(module: nn.Module, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        returned = module(*inputs)
    return list(returned) if isinstance(returned, tuple) else [returned]


def same(net: Network, other: Network, module: nn.Module, tolerance: float) -> None:
    """Check that the outputs of `module` are those of another network with its own weights."""
    inputs = random_tensors(net)
    expected, got = outputs(module, inputs), outputs(other.to_torch().eval(), inputs)
    for a, b in zip(got, expected, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= tolerance * b.abs().max()


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


@pytest.mark.parametrize("name", DISTINCT)
def test_networks_of_the_zoo_have_the_same_outputs(name: str) -> None:
    net = small(name)
    module = lively(net)
    lean = net.optimized(module)
    assert len(lean.graph.nodes) <= len(net.graph.nodes)
    assert lean.macs <= net.macs
    assert not {"dropout", "identity"} & set(kinds(lean.graph))
    same(net, lean, module, 1e-4)


@pytest.mark.parametrize("name", SPECS)
def test_removable_layers_are_removed(name: str) -> None:
    net = archspec.parse(HEAD + SPECS[name])
    module = lively(net)
    lean = net.optimized(module)
    assert kinds(lean.graph) == LEFT[name]
    same(net, lean, module, 1e-5)


@pytest.mark.parametrize("name", STAYS)
def test_other_layers_remain(name: str) -> None:
    net = archspec.parse(HEAD + STAYS[name])
    lean = net.optimized()
    assert kinds(lean.graph) == kinds(net.graph)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(
    "name", ["vgg11_bn", "resnet18", "densenet40_k12_cifar", "unet_padded", "googlenet", "mobilenet_v2"]
)
def test_each_transform_alone_gives_a_valid_graph_with_the_same_outputs(name: str, transform: str) -> None:
    net = small(name)
    module = lively(net)
    graph, kept = TRANSFORMS[transform](net.graph, weights.from_module(net.graph, module))
    verify(graph)
    assert list(kept) == [key for key, _ in graph.weights()]
    assert TRANSFORMS[transform](graph, kept)[0].nodes == graph.nodes, "once is enough"
    same(net, Network(net.spec, net.variant, graph, own_weights=kept), module, 1e-4)


def test_numbered_layers_are_renumbered_with_their_weights() -> None:
    net = archspec.parse(HEAD + SPECS["numbers"])
    lean = net.optimized()
    assert [node.name for node in lean.graph.nodes] == ["sequential.0", "sequential.1", "sequential.2.0"]
    assert list(lean.weights()) == [key for key, _ in lean.graph.weights()]
    assert "nn.Sequential" in lean.source()


def test_optimizing_twice_changes_nothing() -> None:
    once = small("resnet18").optimized()
    twice = once.optimized()
    assert twice.text == once.text
    for key, array in twice.weights().items():
        np.testing.assert_array_equal(array, once.weights()[key])


@pytest.mark.parametrize("sample", {sample.op.kind: sample for sample in GOOD}.values(), ids=lambda sample: sample.id)
def test_an_op_is_an_identity_at_inference_exactly_where_its_onnx_rule_is(sample: Sample) -> None:
    assert (ONNX[type(sample.op)] is identity) == sample.op.identity_at_inference


def test_an_optimized_file_has_the_modules_outputs(tmp_path: Path) -> None:
    net = small("resnet18")
    module = lively(net)
    net.optimized(module).to_onnx(tmp_path / "lean.onnx")
    x = torch.randn(2, 3, 32, 32)
    session = onnxruntime.InferenceSession(tmp_path / "lean.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"input": x.numpy()})
    (expected,) = outputs(module, [x])
    np.testing.assert_allclose(got, expected.numpy(), rtol=0, atol=1e-4 * float(expected.abs().max()))
    assert {node.op_type for node in __import__("onnx").load(tmp_path / "lean.onnx").graph.node} <= {
        "Conv", "Relu", "MaxPool", "Add", "GlobalAveragePool", "Flatten", "Gemm", "Reshape",
    }  # fmt: skip
