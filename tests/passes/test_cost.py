"""Costs: what is counted, what is not, and that sharing counts once."""

from __future__ import annotations

from dataclasses import replace

import torch

import archspec


def net(layers: str, input: str = "[3, 8, 8]", more: str = "") -> archspec.Network:
    return archspec.parse(f"archspec: 1\nname: n\ninput: {input}\n{more}layers:\n{layers}")


def test_shared_weights_count_once_and_their_cost_each_time() -> None:
    network = net("""
  - conv: {name: a, channels: 3, kernel: 3, padding: 1}
  - conv: {name: b, channels: 3, kernel: 3, padding: 1, share: a}
""")
    assert network.params == network["a"].params == 3 * 3 * 9 + 3
    assert network["b"].params == 0
    assert network["a"].macs == network["b"].macs == 3 * 3 * 9 * 64


def test_fixed_and_frozen_weights_are_params_that_do_not_learn() -> None:
    network = net("""
  - conv: {channels: 3, kernel: 3, groups: 3, bias: false, weight: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]}
  - linear: {features: 2, trainable: false}
  - linear: 2
""")
    assert network.params == 27 + (6 * 2 + 2) + (2 * 2 + 2)
    assert network.trainable_params == 2 * 2 + 2


def test_buffers_are_those_of_pytorch() -> None:
    # A mean and a variance per channel, and the number of batches: 2 * 3 + 1.
    assert net("\n  - batch_norm\n").buffers == 7


def test_layers_for_training_only_count_as_parameters_but_not_as_inference() -> None:
    side = net(
        """
  - conv: {channels: 2, kernel: 1}
  - side: {name: aux, training_only: true, layers: [conv: {channels: 5, kernel: 1}]}
""",
        more="outputs: [conv, aux]\n",
    )
    plain = net("\n  - conv: {channels: 2, kernel: 1}\n")
    assert side.macs == plain.macs
    assert side.params == plain.params + 2 * 5 + 5
    assert side["aux"].macs == 2 * 5 * 64


UNUSED = """
  - sequential:
      name: body
      layers:
        - conv: {name: a, channels: 4, kernel: 3, padding: 1}
        - conv: {name: extra, from: a, channels: 5, kernel: 1}
        - relu: {name: b, from: a}
  - conv: {name: tail, from: body.extra, channels: 7, kernel: 1}
  - batch_norm: {name: norm, from: tail}
  - conv: {name: last, from: body, channels: 2, kernel: 1}
"""
"""Nothing reads `norm`, so `body.extra`, `tail` and `norm` never run."""


def test_layers_that_no_output_depends_on_count_as_parameters_but_do_not_run() -> None:
    network = net(UNUSED)
    plain = net("\n  - conv: {channels: 4, kernel: 3, padding: 1}\n  - relu\n  - conv: {channels: 2, kernel: 1}\n")
    assert network.facts.total.cost == plain.facts.total.cost
    assert network.memory == replace(plain.memory, peak_at="body.b")
    assert network["body"].macs == network["body.a"].macs
    assert [network[name].macs for name in ("body.extra", "tail", "norm")] == [0, 0, 0]
    assert network.params == plain.params + (4 * 5 + 5) + (5 * 7 + 7) + 2 * 7
    module = network.to_torch().eval()
    assert sum(weight.numel() for weight in module.parameters()) == network.params
    assert sum(buffer.numel() for buffer in module.buffers()) == network.buffers
    called: list[str] = []
    for name, child in module.named_modules():
        child.register_forward_hook(lambda *_, name=name: called.append(name))
    module(torch.zeros(1, 3, 8, 8))
    assert called == ["body.a", "body.b", "body", "last", ""]


def test_transposed_convolutions_cost_their_input_positions() -> None:
    # As in torch's flop counter: 8 * 8 inputs, each times a 2 x 2 kernel from 3 to 4 channels.
    assert net("\n  - conv_transpose: {channels: 4, kernel: 2, stride: 2}\n").macs == 64 * 3 * 4 * 4


def test_other_operations_are_counted_by_name() -> None:
    cost = net("""
  - conv: {channels: 4, kernel: 1}
  - relu
  - max_pool: 2
  - sigmoid
""").facts.total.cost
    assert cost.macs == 3 * 4 * 64
    assert dict(cost.other) == {
        "add": 4 * 64 + 4 * 16,  # biases, and one in each sigmoid
        "compare": 4 * 64 + 4 * 16 * 3,  # one per element of relu, three per window of four
        "exp": 4 * 16,
        "divide": 4 * 16,
    }
    assert cost.operations == 2 * cost.macs - cost.dot_products + sum(cost.other.values())
