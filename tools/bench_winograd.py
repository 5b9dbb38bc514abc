#!/usr/bin/env python3
"""When Winograd's form of a convolution is faster in ONNX Runtime: `./tools/bench_winograd.py [--quick]`.

One layer of 3x3 after another, each with its activation, on one image and in turn with the plain form. A line gives the
medians of both, their ratio in the same round with its least and most, the ratio `runtime/winograd.py` expects, and
whether it writes the layer so. Between two runs other memory is touched, as other layers would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402

import archspec  # noqa: E402
from archspec.ops.conv import Conv  # noqa: E402
from archspec.runtime import winograd  # noqa: E402
from archspec.runtime.session import Run, host  # noqa: E402
from tools.measure import Table, Work, head, head_lines, interleaved, seconds  # noqa: E402

SPEC = "archspec: 1\nname: net\ninput: [{c}, {n}, {n}]\nlayers: [conv: {{channels: {k}, kernel: 3, padding: 1}}, relu]"

OTHERS = 16 << 20
"""How many numbers of other layers are touched between two runs: more than a cache holds."""


@dataclass(frozen=True)
class Plan:
    """Which layers are measured, and how often."""

    channels: Sequence[tuple[int, int]] = (
        (64, 64),
        (128, 32),
        (128, 128),
        (64, 256),
        (256, 64),
        (256, 256),
        (512, 256),
        (512, 512),
    )
    sizes: Sequence[int] = (7, 14, 28, 56, 112)
    rounds: int = 11
    threads: int = 2


QUICK = Plan(((4, 8),), (6,), rounds=2)
"""To see that everything works; its figures say nothing."""


def lines(plan: Plan) -> Iterator[str]:
    """The table, line by line."""
    yield f"{'layer':<22}{'plain':>11}{'Winograd':>13}{'gain':>24}{'expected':>10}"
    for size in plan.sizes:
        for inputs, outputs in plan.channels:
            net = archspec.parse(SPEC.format(c=inputs, k=outputs, n=size))
            conv = net.graph.nodes[0]
            assert isinstance(conv.op, Conv)
            expected = winograd.gain(conv.op, conv.inputs[0].type)
            plain, other = measured(net, plan).rows
            gains = [1 / ratio for ratio in other.ratios]
            gain = f"{median(gains):.2f} x ({min(gains):.2f} to {max(gains):.2f})"
            layer = f"{inputs} -> {outputs} at {size}x{size}"
            times = f"{plain.median * 1e3:>8.2f} ms{other.median * 1e3:>10.2f} ms"
            yield f"{layer:<22}{times}{gain:>24}{expected:>8.2f} x{'  chosen' * (expected > winograd.GAIN)}"


def measured(net: archspec.Network, plan: Plan) -> Table:
    """Both forms of a layer in turn."""
    image = np.random.default_rng(0).standard_normal((1, *net.graph.inputs[0].type.sizes), dtype=np.float32)
    forms = [(name, opened(net, least, plan.threads)) for name, least in (("plain", inf), ("Winograd", 0.0))]
    others = np.zeros(OTHERS, np.float32)

    def clock(work: Work) -> float:
        np.negative(others, out=others)
        return seconds(work)

    return interleaved("", [(name, partial(run, {"input": image})) for name, run in forms], plan.rounds, clock)


def opened(net: archspec.Network, least: float, threads: int) -> Run:
    """The network in ONNX Runtime, in Winograd's form where more than `least` is expected of it."""
    usual, winograd.GAIN = winograd.GAIN, least
    try:
        found = host(net.graph, net.weights())
    finally:
        winograd.GAIN = usual
    assert found is not None
    return found.open(net.weights(), threads)


def main() -> None:
    """Measure, and print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one small layer, to see that it works")
    parser.add_argument("--rounds", type=int, help="how often each layer is measured")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    plan = replace(QUICK if asked.quick else Plan(), threads=asked.threads)
    plan = replace(plan, rounds=asked.rounds or plan.rounds)
    print("\n".join(head_lines(head(["onnxruntime"], rounds=plan.rounds, threads=plan.threads))), flush=True)
    for line in lines(plan):
        print(line, flush=True)


if __name__ == "__main__":
    main()
