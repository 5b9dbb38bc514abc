"""A module that is given all its weights has them, and nothing is drawn for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
import torch

import archspec
from archspec.ir.graph import Node
from archspec.ir.types import TensorType
from archspec.lower.text.code_model import call
from archspec.lower.torch.module_call import ModuleCall
from archspec.ops import Op
from tests.zoo.small import small

STARTS = """
archspec: 1
name: starts
input: [4, 8, 8]
init: {conv: {weight: INIT}}
layers: [conv: {channels: 4, kernel: 3}, conv: {channels: 4, kernel: 3}, batch_norm, flatten, linear: 3]
"""
KINDS = [
    "kaiming_normal",
    "kaiming_uniform",
    "xavier_normal",
    "xavier_uniform",
    "orthogonal",
    "{trunc_normal: {std: 1}}",
]


def has_them_undrawn(net: archspec.Network) -> None:
    weights = net.weights(seed=1)
    before = torch.get_rng_state()
    module = net.to_torch(weights)
    assert torch.equal(torch.get_rng_state(), before)
    state = module.state_dict()
    assert set(state) == set(weights)
    for key, tensor in state.items():
        np.testing.assert_array_equal(tensor.numpy(), weights[key])


@pytest.mark.parametrize("name", ["resnet18", "vit_b_16", "convnext_tiny", "capsnet", "lenet5", "yolox_s"])
def test_networks_of_the_zoo(name: str) -> None:
    has_them_undrawn(small(name))


@pytest.mark.parametrize("kind", KINDS)
def test_every_initializer(kind: str) -> None:
    has_them_undrawn(archspec.parse(STARTS.replace("INIT", kind)))


def test_the_default_dtype_of_pytorch_is_respected() -> None:
    net = archspec.load("lenet5")
    weights = net.weights()
    torch.set_default_dtype(torch.float64)
    try:
        drawn, given = net.to_torch(), net.to_torch(weights)
    finally:
        torch.set_default_dtype(torch.float32)
    for module in (drawn, given):
        assert {tensor.dtype for tensor in module.state_dict().values() if tensor.is_floating_point()} == {
            torch.float64
        }


def test_weights_are_copies() -> None:
    net = archspec.load("lenet5")
    weights = net.weights()
    first = next(iter(weights))
    module = net.to_torch(weights)
    weights[first][:] = 7
    assert not (module.state_dict()[first] == 7).any()


class Windowed(Op):
    """An op of a plugin whose module keeps numbers that are no weights."""

    kind: ClassVar[str] = "windowed"
    rules: ClassVar[dict[str, str]] = {"PyTorch": f"{__name__}:windowed"}

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        return tuple(inputs)


TEXT = '''
class Windowed(nn.Module):
    """Rows weighed by their place."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rows", torch.arange(8.0), persistent=False)
        self.first = self.rows[1].item()

    def forward(self, x: Tensor) -> Tensor:
        return self.first * x * self.rows
'''


def windowed(op: Windowed, node: Node) -> ModuleCall:
    return ModuleCall(call("Windowed", {}, {}), helper=("Windowed", TEXT))


def test_modules_of_plugins_may_have_state_besides_weights() -> None:
    plugin = ModuleType("windows")
    plugin.OPS = (Windowed,)  # type: ignore[attr-defined]
    text = "archspec: 1\nname: net\ninput: [2, 8, 8]\nlayers: [conv: {channels: 2, kernel: 1}, windowed]"
    net = archspec.parse(text, plugins=[plugin])
    module = net.to_torch(net.weights())
    image = torch.rand(1, 2, 8, 8)
    torch.testing.assert_close(module(image), module.conv(image) * torch.arange(8.0))


def test_instantiation_does_not_import_dynamo() -> None:
    """It would be for normal numbers, which these two start with, and take longer than to draw them."""
    given = "net = archspec.load(name); net.to_torch(net.weights())"
    code = (
        f"import archspec, sys\nfor name in ('resnet18', 'capsnet'): {given}\nsys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_weights_are_initialized() -> None:
    net = small("resnet18")
    weights = {key: array for key, array in net.weights(seed=1).items() if not key.startswith("fc")}
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match="keep their initial values"):
        first = net.to_torch(weights, strict=False)
    with pytest.warns(UserWarning, match="keep their initial values"):
        second = net.to_torch(weights, strict=False)
    assert not torch.equal(first.fc.weight, second.fc.weight)
    assert torch.equal(first.conv1.weight, second.conv1.weight)


def test_normalizations_without_weights_are_left_alone_where_others_are_initialized() -> None:
    norms = "layer_norm, layer_norm, layer_norm: {affine: false}"
    net = archspec.parse(
        f"archspec: 1\nname: a\ninput: [4]\ninit: {{layer_norm: {{weight: zeros}}}}\nlayers: [{norms}]"
    )
    assert not any(weight.any() for weight in net.to_torch().parameters())
