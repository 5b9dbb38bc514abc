"""Layers that share weights: the module of one is called for the other, wherever the two are."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import archspec
from archspec.ir import GraphBuilder
from archspec.lower import weights
from archspec.lower.onnx import export
from archspec.lower.torch.exported_program import program
from archspec.ops import Conv
from tests.lower.onnx.runtime import random_inputs, random_weights, session
from tests.op_samples import GOOD, Sample, shared_twice

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
  tied:
    args: [features]
    layers:
      - conv: {name: first, channels: features, kernel: 1}
      - sequential: {name: inner, layers: [tanh, conv: {share: first, channels: features, kernel: 1}, batch_norm]}
"""

AGAIN = "conv: {share: base, channels: 4, kernel: 1}"

SHARED = {
    "nothing": "[conv: {name: a, channels: 4, kernel: 3}, bare: {name: x, share: a}, bare: {share: x}]",
    "a layer": "[conv: {name: a, channels: 4, kernel: 3}, conv: {share: a, channels: 4, kernel: 3}]",
    "a block": "[b: {name: x}, b: {name: y, share: x}, b: {name: z, share: y}]",
    "a value that others read": "[b: {name: x}, b: {name: y, share: x}, add: [x, y], b: {share: x}, add: [prev, y]]",
    "other sizes": "[rows: {name: x}, rows: {name: y, from: input, share: x}, max_pool: {from: input, kernel: 2}, "
    "rows: {name: z, share: x}, concat: {from: [x, y, z], axis: 2}]",
    "an unrolled network": f"[conv: {{name: base, channels: 4, kernel: 1}}, sequential: {{name: s, layers: "
    f"[tanh, {AGAIN}]}}, sequential: {{name: t, layers: [tanh, {AGAIN}]}}]",
    "an unrolled network with norms": "[conv: {name: base, channels: 4, kernel: 1}, repeat: {times: 3, index: i, "
    f"name: 'step$(i)', layers: [batch_norm: {{name: norm}}, tanh, {AGAIN}]}}]",
    "numbered levels": "[conv: {name: base, channels: 4, kernel: 1}, sequential: {name: levels, naming: index, layers: "
    f"[sequential: {{naming: index, layers: [{AGAIN}, batch_norm]}}, sequential: {{naming: index, layers: [{AGAIN}, "
    "batch_norm]}]}]",
    "a layer in nested modules": "[sequential: {name: p, layers: [sequential: {name: q, layers: [conv: {name: base, "
    "channels: 4, kernel: 1}, relu]}, tanh]}, sequential: {name: s, layers: [sequential: {name: t, layers: [tanh, "
    "conv: {share: p.q.base, channels: 4, kernel: 1}, batch_norm]}, relu]}]",
    "a numbered layer": "[sequential: {name: p, naming: index, layers: [conv: {channels: 4, kernel: 1}, relu]}, "
    "sequential: {name: s, layers: [tanh, conv: {share: p.0, channels: 4, kernel: 1}]}]",
    "a layer of a block": "[b: {name: x}, b: {name: y}, conv: {share: x.c, channels: 4, kernel: 3, padding: 1}, "
    "sequential: {name: s, layers: [conv: {share: y.inner.conv, channels: 4, kernel: 1}]}]",
    "a block, in a module": "[b: {name: x}, sequential: {name: s, layers: [tanh, b: {share: x}]}, "
    "sequential: {name: t, layers: [b: {share: x}, batch_norm]}]",
    "in blocks that are shared": "[tied: {name: x, features: 4}, tied: {name: y, features: 4}, "
    "tied: {name: z, features: 4, share: x}, sequential: {name: s, layers: [tied: {share: y, features: 4}]}]",
    "in blocks that differ": "[tied: {name: x, features: 4}, tied: {name: y, features: 4}, "
    "sequential: {name: s, layers: [conv: {share: x.inner.conv, channels: 4, kernel: 1}]}]",
    "bare weights": "[reshape: [256, 4], position_embedding: {name: p}, sequential: {name: s, layers: "
    "[position_embedding: {share: p}]}, sequential: {name: e, layers: [layer_scale: {name: w}, relu]}, "
    "sequential: {name: t, layers: [layer_scale: {share: e.w}, tanh]}]",
    "attention": "[reshape: [256, 4], multi_head_attention: {name: a, heads: 2}, sequential: {name: s, layers: "
    "[layer_norm, multi_head_attention: {share: a, heads: 2}]}]",
    "named layers without weights": "[conv: {name: base, channels: 4, kernel: 1}, sequential: {name: s, layers: "
    f"[relu: {{name: act}}, max_pool: {{name: p, kernel: 2}}, {AGAIN}]}}]",
    "paths": f"[conv: {{name: base, channels: 4, kernel: 1}}, residual: {{name: r, layers: [tanh, {AGAIN}]}}, "
    f"parallel: {{name: p, join: concat, paths: {{l: [{AGAIN}], r: [batch_norm, relu]}}}}]",
    "with another function": "[b: {name: x}, b: {name: y, share: x, slope: 0.2}]",
    "with one layer more": "[b: {name: x}, b: {name: y, share: x, pool: true}]",
    "with one layer less": "[b: {name: x, pool: true}, b: {name: y, share: x}]",
    "with more of its values": "[b: {name: x}, b: {name: y, share: x}, add: [y, y.c]]",
}
OTHER_ATTRIBUTES = {
    "a layer": "[conv: {name: a, channels: 4, kernel: 3}, conv: {share: a, channels: 4, kernel: 3, dilation: 2}]",
    "a layer inside": "[b: {name: x}, b: {name: y, share: x, dilation: 2}]",
}


@pytest.mark.parametrize("layers", SHARED.values(), ids=SHARED)
def test_shared_layers_agree_with_onnx(layers: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {layers}")
    torch.manual_seed(0)
    module = net.to_torch().eval()
    assert set(module.state_dict()) == {key for key, _ in net.graph.weights()}
    inputs = random_inputs(net.graph, batch=2)
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs["input"])).numpy()
    for written in (net, net.optimized(module)):
        arrays = written.weights() if written is not net else weights.from_module(net.graph, module)
        (result,) = session(export(written.graph, arrays).to_proto()).run(None, dict(inputs))
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


MODULES = ("an unrolled network with norms", "a layer in nested modules", "in blocks that are shared", "bare weights")


@pytest.mark.parametrize("name", MODULES)
def test_modules_with_shared_layers_are_copied_scripted_and_exported(name: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {SHARED[name]}")
    module = net.to_torch().eval()
    x = torch.rand(2, 4, 16, 16)
    expected = module(x)
    copied = copy.deepcopy(module)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)  # a copy has its own weights, shared in the same way
    torch.testing.assert_close(copied(x), expected)
    with pytest.warns(DeprecationWarning, match="torch.jit.script"):
        torch.testing.assert_close(torch.jit.script(copied)(x), expected)
    torch.testing.assert_close(program(copied, net.graph).module()(x), expected)


def test_a_scope_that_uses_weights_outside_keeps_its_own() -> None:
    """The module around calls the layers of each step, which share one class."""
    source = archspec.parse(f"{HEAD}layers: {SHARED['an unrolled network with norms']}").source()
    assert "self.base = nn.Conv2d(4, 4, 1)\n        self.step0 = Step()\n        self.step1 = Step()" in source
    assert "x = torch.tanh(self.step1.norm(self.base(x)))" in source


LAYERS = [sample for sample in GOOD if sample.op.weights(sample.inputs)]


@pytest.mark.parametrize("sample", LAYERS, ids=lambda sample: sample.id)
def test_every_op_shares_its_weights_with_a_layer_in_another_module(sample: Sample) -> None:
    net = shared_twice(sample)
    inputs = sample.arrays(2)
    with torch.no_grad():
        outputs = net.to_torch(random_weights(net.graph)).eval()(*map(torch.from_numpy, inputs))
    for one, other in zip(outputs[: len(outputs) // 2], outputs[len(outputs) // 2 :], strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("layers", OTHER_ATTRIBUTES.values(), ids=OTHER_ATTRIBUTES)
@pytest.mark.parametrize("target", ["torch", "keras"])
def test_sharing_weights_with_other_attributes_is_rejected(layers: str, target: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {layers}")
    with pytest.raises(archspec.ArchspecError, match="', which has other attributes") as caught:
        net.source(target)
    assert [found.code for found in caught.value.diagnostics] == ["unsupported"]


def test_a_scope_may_share_what_another_shares_and_what_is_around_it() -> None:
    """Graphs that are built in Python; a spec cannot say the second."""
    b = GraphBuilder("net")
    x = b.input("input", (4, 8, 8))
    for name, share in (("one", None), ("two", "one"), ("three", "two")):
        with b.scope(name, share=share):
            x = b.apply(Conv(channels=4, kernel=1), x, name="conv")
            if share is None:
                with b.scope("inside", share="one"):
                    x = b.apply(Conv(channels=4, kernel=1), x, name="conv")
    b.output("y", x)
    module = archspec.Network.from_graph(b.build()).to_torch()
    assert [*module.state_dict()] == ["one.conv.weight", "one.conv.bias"]
    source = archspec.Network.from_graph(b.build()).source()
    assert source.count("self.one.conv(") == 4
