"""Activation memory by liveness, computed by hand for small networks."""

from __future__ import annotations

import archspec

FLOAT = 4


def net(layers: str, more: str = "") -> archspec.Network:
    return archspec.parse(f"archspec: 1\nname: n\ninput: [4, 8, 8]\n{more}layers:\n{layers}")


def test_a_chain_holds_two_neighbours_at_once() -> None:
    memory = net("""
  - conv: {name: wide, channels: 16, kernel: 1}
  - conv: {name: wider, channels: 32, kernel: 1}
  - conv: {name: thin, channels: 2, kernel: 1}
""").memory
    assert (memory.peak, memory.peak_at) == ((16 + 32) * 64 * FLOAT, "wider")
    assert memory.total == (16 + 32 + 2) * 64 * FLOAT


def test_a_skip_stays_alive_until_it_is_read() -> None:
    memory = net("""
  - conv: {name: skip, channels: 8, kernel: 1}
  - conv: {name: a, channels: 8, kernel: 1}
  - conv: {name: b, channels: 8, kernel: 1}
  - add: [b, skip]
""").memory
    assert (memory.peak, memory.peak_at) == (3 * 8 * 64 * FLOAT, "b")


def test_outputs_stay_alive_to_the_end() -> None:
    memory = net(
        """
  - conv: {name: early, channels: 10, kernel: 1}
  - conv: {name: a, channels: 1, kernel: 1}
  - conv: {name: late, channels: 10, kernel: 1}
""",
        more="outputs: [early, late]\n",
    ).memory
    assert (memory.peak, memory.peak_at) == ((10 + 1 + 10) * 64 * FLOAT, "late")


def test_training_only_nodes_count_in_the_total_alone() -> None:
    side = "\n  - relu\n  - side: {training_only: true, layers: [conv: {name: aux, channels: 99, kernel: 1}]}\n"
    memory = net(side, more="outputs: [relu, aux]\n").memory
    assert memory.peak == (4 + 4) * 64 * FLOAT
    assert memory.total == (4 + 99) * 64 * FLOAT
