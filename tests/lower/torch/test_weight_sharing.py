"""Layers that share weights: the module of one is called for the other, wherever the two are."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import archspec
from archspec import Network
from archspec.ir import GraphBuilder
from archspec.ir.types import TensorType
from archspec.lower import weights
from archspec.lower.onnx import export
from archspec.lower.torch.exported_program import program
from archspec.lower.unequal_shares import unequal_shares
from archspec.ops import Conv, Op, OpError
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
    "attention in windows": "[reshape: [64, 4, 4], multi_head_attention: {name: a, heads: 2, relative_bias: [2, 2]}, "
    "sequential: {name: s, layers: [multi_head_attention: {share: a, causal: true}, relu]}]",
    "a layer": "[conv: {name: a, channels: 4, kernel: 3}, conv: {share: a, dilation: 2}]",
    "a layer inside": "[b: {name: x}, b: {name: y, share: x, dilation: 2}]",
    "in another module": "[conv: {name: a, channels: 4, kernel: 3}, sequential: {name: s, layers: [batch_norm, "
    "conv: {share: a, stride: 2}]}]",
    "of a numbered layer": "[sequential: {name: p, naming: index, layers: [conv: {channels: 4, kernel: 3}, relu]}, "
    "conv: {share: p.0, padding: same, stride: 2}]",
    "other ranks": "[instance_norm: {name: n, affine: true}, flatten: 2, instance_norm: {share: n}]",
}
"""Layers that share weights, which Keras cannot express."""


@pytest.mark.parametrize("layers", [*SHARED.values(), *OTHER_ATTRIBUTES.values()], ids=[*SHARED, *OTHER_ATTRIBUTES])
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


MODULES = (
    "an unrolled network with norms", "a layer in nested modules", "in blocks that are shared", "bare weights",
    "of a numbered layer",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules_with_shared_layers_are_copied_scripted_and_exported(name: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {(SHARED | OTHER_ATTRIBUTES)[name]}")
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


CHANGES: dict[str, list[dict[str, Any]]] = {
    "conv": [
        {"stride": 2}, {"dilation": 2}, {"padding": 1}, {"padding": "same"}, {"padding": "same", "stride": 2},
        {"padding": ((1, 0),)}, {"padding": 1, "padding_mode": "replicate"},
        {"padding": "same", "stride": 2, "padding_mode": "reflect"},
        {"padding": ((1, 0),), "padding_mode": "circular"},
    ],
    "conv_transpose": [{"stride": 2}, {"stride": 2, "output_padding": 1}, {"dilation": 2}, {"padding": ((1, 0),)}],
    "batch_norm": [{"eps": 0.1}],
    "frozen_batch_norm": [{"eps": 0.1}],
    "group_norm": [{"groups": 1}, {"eps": 0.1}],
    "instance_norm": [{"eps": 0.1}],
    "layer_norm": [{"eps": 0.1}, {"axes": "channels"}],
    "multi_head_attention": [{"heads": 1}, {"heads": 3, "dropout": 0.5}, {"causal": True}],
    "prelu": [{"slope": 0.1}],
    "lstm": [{"depth": 2, "dropout": 0.5}],
    "gru": [{"depth": 2, "dropout": 0.5}],
    "rnn": [{"function": "relu"}],
}  # fmt: skip
"""Attributes that leave the shapes of weights as they are; paddings are those of one axis."""


def weight_shapes(op: Op, types: tuple[TensorType, ...]) -> list[tuple[str, tuple[int, ...]]] | None:
    try:
        op.infer(types)
        return [(weight.name, weight.shape) for weight in op.weights(types)]
    except OpError:
        return None


def unequal_pairs(kind: str) -> Iterator[tuple[Sample, Sample]]:
    """Samples of an op with others whose weights have the same shapes: other attributes, or inputs of another rank.

    Of the pairs with the same changes and ranks, the first.
    """
    seen: set[object] = set()
    samples = [sample for sample in LAYERS if sample.op.kind == kind]
    for owner, of_types in product(samples, samples):
        types = of_types.inputs
        for change in ({}, *CHANGES.get(kind, ())):
            axes = len(types[0].spatial)
            values = {key: value * axes if isinstance(value, tuple) else value for key, value in change.items()}
            op = owner.op.with_attributes(**values)
            ranks = owner.inputs[0].rank, types[0].rank
            key = (str(change), ranks)
            is_new = key not in seen and (op != owner.op or len({*ranks}) > 1)
            if is_new and weight_shapes(op, types) == weight_shapes(owner.op, owner.inputs):
                seen.add(key)
                yield owner, Sample(op, types, owner.draws)


@pytest.mark.parametrize("kind", sorted({sample.op.kind for sample in LAYERS}))
def test_layers_of_other_attributes_and_ranks_share_weights(kind: str) -> None:
    """They compute what the layer alone does with these weights; what Keras refuses, `check` warns about."""
    for owner, other in unequal_pairs(kind):
        b = GraphBuilder("net")
        own = [b.input(f"x{i}", tensor.sizes, tensor.dtype) for i, tensor in enumerate(owner.inputs)]
        inputs = [b.input(f"y{i}", tensor.sizes, tensor.dtype) for i, tensor in enumerate(other.inputs)]
        with b.scope("one"):
            b.output("x", b.apply_all(owner.op, *own, name="layer")[0])
        with b.scope("other"):
            b.output("y", b.apply_all(other.op, *inputs, name="layer", share="one.layer")[0])
        net = Network.from_graph(b.build())
        arrays = random_weights(net.graph)
        alone = {key.removeprefix("one."): array for key, array in arrays.items()}
        given = [*map(torch.from_numpy, owner.arrays(2))], [*map(torch.from_numpy, other.arrays(2, seed=1))]
        with torch.no_grad():
            expected = Network.from_graph(other.graph).to_torch(alone).eval()(*given[1])
            expected = expected if isinstance(expected, torch.Tensor) else expected[0]
            _, result = net.to_torch(arrays).eval()(*given[0], *given[1])
        torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4, msg=f"{owner.id}, {other.id}")
        warned = [warning.code for warning in unequal_shares(net.graph)]
        try:
            net.source("keras")
        except archspec.ArchspecError as error:
            is_of_sharing = "shares the weights" in str(error)
            assert warned == ["unequal-share"] * is_of_sharing, f"{owner.id}, {other.id}"
        else:
            assert warned == []


@pytest.mark.parametrize("layers", OTHER_ATTRIBUTES.values(), ids=OTHER_ATTRIBUTES)
def test_keras_rejects_layers_that_share_weights_and_are_others(layers: str) -> None:
    net = archspec.parse(f"{HEAD}layers: {layers}")
    reason = "', which (has other attributes|takes inputs of 4 axes, not 3)"
    with pytest.raises(archspec.ArchspecError, match=reason) as caught:
        net.source("keras")
    assert [found.code for found in caught.value.diagnostics] == ["unsupported"]


EMBEDDING = "embedding: {name: embedded, from: tokens, entries: 4, features: 6SHARE}"
LINEAR = "linear: {name: mapped, from: x, features: 4, bias: falseSHARE}"


@pytest.mark.parametrize(("first", "second", "owner"), [(EMBEDDING, LINEAR, "embedded"), (LINEAR, EMBEDDING, "mapped")])
def test_an_embedding_and_a_linear_layer_share_weights(first: str, second: str, owner: str) -> None:
    layers = f"[{first.replace('SHARE', '')}, {second.replace('SHARE', f', share: {owner}')}]"
    inputs = "{tokens: {shape: [5], dtype: int64}, x: [5, 6]}"
    outputs = "[embedded, mapped]"
    net = archspec.parse(f"archspec: 1\nname: net\ninputs: {inputs}\nlayers: {layers}\noutputs: {outputs}")
    module, tokens, x = net.to_torch(), torch.tensor([[0, 3, 2, 1, 0]]), torch.rand(1, 5, 6)
    (weight,) = module.parameters()
    embedded, mapped = module(tokens, x)
    torch.testing.assert_close(embedded, weight[tokens])
    torch.testing.assert_close(mapped, x @ weight.T)


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
