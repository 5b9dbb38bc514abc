"""Costs: what is counted, what is not, and that sharing counts once."""

from __future__ import annotations

import archspec


def net(layers: str, input: str = "[3, 8, 8]", more: str = "") -> archspec.Network:
    return archspec.parse(f"archspec: 1\nname: n\ninput: {input}\n{more}layers:\n{layers}")


def test_shared_weights_count_once_and_their_work_each_time() -> None:
    found = net("""
  - conv: {name: a, channels: 3, kernel: 3, padding: 1}
  - conv: {name: b, channels: 3, kernel: 3, padding: 1, share: a}
""")
    assert found.params == found["a"].params == 3 * 3 * 9 + 3
    assert found["b"].params == 0
    assert found["a"].macs == found["b"].macs == 3 * 3 * 9 * 64


def test_fixed_and_frozen_weights_are_params_that_do_not_learn() -> None:
    found = net("""
  - conv: {channels: 3, kernel: 3, groups: 3, bias: false, weight: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]}
  - linear: {features: 2, trainable: false}
  - linear: 2
""")
    assert found.params == 27 + (6 * 2 + 2) + (2 * 2 + 2)
    assert found.trainable_params == 2 * 2 + 2


def test_buffers_are_those_of_pytorch() -> None:
    # Mean and variance a channel, and the number of batches seen: 2 * 3 + 1.
    assert net("\n  - batch_norm\n").buffers == 7


def test_what_only_training_runs_costs_parameters_and_no_inference() -> None:
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


def test_transposed_convolutions_cost_their_input_positions() -> None:
    # As torch's flop counter has it: 8 * 8 inputs, each times a 2 x 2 kernel from 3 to 4 channels.
    assert net("\n  - conv_transpose: {channels: 4, kernel: 2, stride: 2}\n").macs == 64 * 3 * 4 * 4


def test_other_work_is_named_and_never_mixed() -> None:
    found = net("""
  - conv: {channels: 4, kernel: 1}
  - relu
  - max_pool: 2
  - sigmoid
""").facts.total.cost
    assert found.macs == 3 * 4 * 64
    assert dict(found.other) == {
        "add": 4 * 64 + 4 * 16,  # biases, and one in each sigmoid
        "compare": 4 * 64 + 4 * 16 * 3,  # a rectifier an element, three in each window of four
        "exp": 4 * 16,
        "divide": 4 * 16,
    }
    assert found.operations == 2 * found.macs - found.dot_products + sum(found.other.values())
