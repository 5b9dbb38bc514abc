"""Layers that share weights: the module of one is called for the other, if both do the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import archspec
from archspec.lower import weights
from archspec.lower.onnx import export
from tests.lower.onnx.runtime import random_inputs, session

HEAD = """
archspec: 1
name: net
input: [4, 16, 16]
allow: [heavy-layer]
blocks:
  b:
    args: {dilation: 1, slope: 0.1, pool: false}
    layers:
      - leaky_relu: slope
      - conv: {name: c, channels: 4, kernel: 3, padding: dilation, dilation: dilation}
      - max_pool: {name: p, kernel: 3, stride: 1, padding: 1, when: pool}
      - sequential: {name: inner, layers: [relu, conv: {channels: 4, kernel: 1}]}
  bare: {layers: [relu, tanh]}
  rows:
    layers:
      - conv: {channels: 3, kernel: 1}
      - reshape: [3, -1]
"""

SHARED = {
    "nothing": "[conv: {name: a, channels: 4, kernel: 3}, bare: {name: x, share: a}, bare: {share: x}]",
    "a layer": "[conv: {name: a, channels: 4, kernel: 3}, conv: {share: a, channels: 4, kernel: 3}]",
    "a block": "[b: {name: x}, b: {name: y, share: x}, b: {name: z, share: y}]",
    "a value that others read": "[b: {name: x}, b: {name: y, share: x}, add: [x, y], b: {share: x}, add: [prev, y]]",
    "other sizes": "[rows: {name: x}, rows: {name: y, from: input, share: x}, max_pool: {from: input, kernel: 2}, "
    "rows: {name: z, share: x}, concat: {from: [x, y, z], axis: 2}]",
}
OTHER_USES = {
    "a layer": "[conv: {name: a, channels: 4, kernel: 3}, conv: {share: a, channels: 4, kernel: 3, dilation: 2}]",
    "a layer inside": "[b: {name: x}, b: {name: y, share: x, dilation: 2}]",
    "a function inside": "[b: {name: x}, b: {name: y, share: x, slope: 0.2}]",
    "one layer more": "[b: {name: x}, b: {name: y, share: x, pool: true}]",
    "one layer less": "[b: {name: x, pool: true}, b: {name: y, share: x}]",
    "what is read of it": "[b: {name: x}, b: {name: y, share: x}, add: [y, y.c]]",
}


@pytest.mark.parametrize("layers", SHARED.values(), ids=SHARED)
def test_shared_layers_agree_with_onnx(layers: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {layers}")
    torch.manual_seed(0)
    module = net.to_torch().eval()
    inputs = random_inputs(net.graph, batch=2)
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs["input"])).numpy()
    (result,) = session(export(net.graph, weights.from_module(net.graph, module)).to_proto()).run(None, dict(inputs))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", OTHER_USES.values(), ids=OTHER_USES)
def test_sharing_weights_with_another_computation_is_rejected(layers: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {layers}")
    with pytest.raises(archspec.ArchspecError, match="a module shares all of its weights") as caught:
        net.to_torch()
    assert [found.code for found in caught.value.diagnostics] == ["unsupported"]
