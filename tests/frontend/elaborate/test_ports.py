"""Layers with several outputs: which of them flow on, and how the others are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import archspec
from tests.frontend.specs import built, faults, net
from tests.lower.onnx.runtime import session

SEGNET = """
- conv: {name: e1, channels: 4, kernel: 3, padding: 1}
- max_pool: {name: pool1, kernel: 2, indices: true}
- conv: {name: e2, channels: 6, kernel: 3, padding: 1}
- max_pool: {name: pool2, kernel: 2, indices: true}
- relu
- max_unpool: {kernel: 2, from: [prev, pool2.indices, e2]}
- conv: {channels: 4, kernel: 3, padding: 1}
- max_unpool: {kernel: 2, from: [prev, pool1.indices, e1]}
"""


def test_all_parts_of_a_split_are_outputs() -> None:
    assert built("- split: {name: s, parts: 2}\n- mul") == ["s = split(input) {parts: 2}", "mul = mul(s.0, s.1)"]


def test_one_part_is_asked_for_by_its_number() -> None:
    assert built("- split: {name: s, sizes: [1, 3]}\n- relu: {from: s.1}")[-1] == "relu = relu(s.1)"
    assert built("- split: {name: s, parts: 1}\n- relu: {from: s.0}")[-1] == "relu = relu(s)"


def test_the_indices_of_a_pooling_are_not_passed_on() -> None:
    assert built("- max_pool: {name: p, kernel: 2, indices: true}\n- relu")[-1] == "relu = relu(p.output)"


@pytest.mark.parametrize(
    ("layers", "fault"),
    [
        ("- split: {name: s, parts: 2}\n- relu", ("wrong-arity", "'relu' takes 1 input, but gets 2")),
        ("- split: {name: s, parts: 2}\n- relu: {from: s.2}", ("unknown-layer", "there is no layer '2' inside 's'")),
        ("- max_pool: {name: p, kernel: 2}\n- relu: {from: p.indices}",
         ("unknown-layer", "there is no layer 'indices' inside 'p'")),
    ],
)  # fmt: skip
def test_unknown_ports_are_errors(layers: str, fault: tuple[str, str]) -> None:
    assert faults(layers) == [fault]


@pytest.mark.parametrize("size", [(12, 12), (13, 10), (15, 7)])
def test_an_unpooling_network_returns_the_size_it_was_given(size: tuple[int, int], tmp_path: Path) -> None:
    network = net(SEGNET, input=f"[3, {size[0]}, {size[1]}]")
    assert network.outputs == {"output": (4, *size)}
    module = network.to_torch().eval()
    x = torch.randn(2, 3, *size)
    expected = module(x).numpy(force=True)
    assert expected.shape == (2, 4, *size)
    network.to_onnx(tmp_path / "net.onnx", module)
    (made,) = session(onnx.load(tmp_path / "net.onnx")).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 9), (9, 9), (12, 8)])
def test_unpooling_returns_the_size_that_the_pooling_read(size: tuple[int, int], tmp_path: Path) -> None:
    """PyTorch puts values elsewhere, or raises, at sizes that the windows do not cover, unless it is told the size."""
    layers = "- max_pool: {name: p, kernel: 2, indices: true}\n- max_unpool: {kernel: 2, from: [prev, p.indices]}"
    made = net(layers, input="[3, 8, 8]")
    x = torch.randn(2, 3, *size)
    pooled, indices = torch.nn.functional.max_pool2d(x, 2, return_indices=True)
    expected = torch.nn.functional.max_unpool2d(pooled, indices, 2, output_size=size)
    torch.testing.assert_close(made.to_torch().eval()(x), expected)
    made.to_onnx(tmp_path / "net.onnx", dynamic=True)
    (found,) = session(onnx.load(tmp_path / "net.onnx")).run(None, {"input": x.numpy()})
    np.testing.assert_array_equal(found, expected.numpy())
    assert net(layers, input=f"[3, {size[0]}, {size[1]}]").outputs == {"output": (3, *size)}


@pytest.mark.parametrize(
    ("inputs", "read", "given"),
    [
        ("x, places, whole", "prev, places, whole", "p, p.indices, input"),
        ("x, places, whole", "prev, places", "p, p.indices, input"),
    ],
)
def test_unpooling_in_a_block_returns_the_size_that_the_pooling_read(inputs: str, read: str, given: str) -> None:
    made = archspec.parse(UNPOOLING_BLOCK.format(inputs=inputs, read=read, given=given))
    assert made.outputs == {"output": (3, 9, 9)}
    assert made.to_torch().eval()(torch.randn(1, 3, 11, 8)).shape == (1, 3, 11, 8)


UNPOOLING_BLOCK = """archspec: 1
name: net
input: [3, 9, 9]
blocks:
  decode:
    inputs: [{inputs}]
    layers: [relu: {{from: x}}, max_unpool: {{from: [{read}], kernel: 2}}]
layers:
  - max_pool: {{name: p, kernel: 2, indices: true}}
  - decode: {{from: [{given}]}}
"""


def test_unpooling_outside_a_block_returns_the_size_that_a_pooling_inside_read() -> None:
    block = "decode: {layers: [relu, max_pool: {name: p, kernel: 2, indices: true}]}"
    layers = "[decode: {name: d}, max_unpool: {from: [d.p, d.p.indices], kernel: 2}]"
    made = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 9, 9]\nblocks: {{{block}}}\nlayers: {layers}\n")
    assert made.to_torch().eval()(torch.randn(1, 3, 11, 8)).shape == (1, 3, 11, 8)
