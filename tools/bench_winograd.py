#!/usr/bin/env python3
"""Measure where Winograd's form of a convolution is faster in ONNX Runtime: `./tools/bench_winograd.py [--quick]`.

Each 3x3 convolution, with its activation, runs on one image, alternating with direct convolution. A line gives the
medians of both, the median, minimum and maximum of their ratio per round, the ratio that `runtime/winograd.py` expects,
and whether it selects Winograd's form. Between two runs other memory is touched, as by other layers.
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
from archspec.runtime.session import Inference, runtime_for  # noqa: E402
from tools.measure import Table, Work, head, head_lines, interleaved, seconds  # noqa: E402

SPEC = "archspec: 1\nname: net\ninput: [{c}, {n}, {n}]\nlayers: [conv: {{channels: {k}, kernel: 3, padding: 1}}, relu]"

OTHERS = 16 << 20
"""The number of elements touched between two runs: more than a cache holds."""


@dataclass(frozen=True)
class Plan:
    """The layers to measure, and the number of rounds."""

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
"""A test run; its figures mean nothing."""


def lines(plan: Plan) -> Iterator[str]:
    """The table, line by line."""
    yield f"{'layer':<22}{'direct':>11}{'Winograd':>13}{'gain':>24}{'expected':>10}"
    for size in plan.sizes:
        for inputs, outputs in plan.channels:
            net = archspec.parse(SPEC.format(c=inputs, k=outputs, n=size))
            conv = net.graph.nodes[0]
            assert isinstance(conv.op, Conv)
            expected = winograd.gain(conv.op, conv.inputs[0].type)
            direct, transformed = measure(net, plan).rows
            gains = [1 / ratio for ratio in transformed.ratios]
            gain = f"{median(gains):.2f} x ({min(gains):.2f} to {max(gains):.2f})"
            layer = f"{inputs} -> {outputs} at {size}x{size}"
            times = f"{direct.median * 1e3:>8.2f} ms{transformed.median * 1e3:>10.2f} ms"
            yield f"{layer:<22}{times}{gain:>24}{expected:>8.2f} x{'  selected' * (expected > winograd.MIN_GAIN)}"


def measure(net: archspec.Network, plan: Plan) -> Table:
    """Both forms of a layer, alternating."""
    image = np.random.default_rng(0).standard_normal((1, *net.graph.inputs[0].type.sizes), dtype=np.float32)
    forms = [(name, open_session(net, gain, plan.threads)) for name, gain in (("direct", inf), ("Winograd", 0.0))]
    others = np.zeros(OTHERS, np.float32)

    def clock(work: Work) -> float:
        np.negative(others, out=others)
        return seconds(work)

    return interleaved("", [(name, partial(run, {"input": image})) for name, run in forms], plan.rounds, clock)


def open_session(net: archspec.Network, min_gain: float, threads: int) -> Inference:
    """The network in ONNX Runtime, in Winograd's form for convolutions whose expected gain is above `min_gain`."""
    runtime = runtime_for(net.graph, net.weights(), winograd.overrides(min_gain))
    assert runtime is not None
    return runtime.open(net.weights(), threads)


def main() -> None:
    """Measure, and print each line of the table as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="measure one small layer only, as a test")
    parser.add_argument("--rounds", type=int, help="number of rounds per layer")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    plan = replace(QUICK if options.quick else Plan(), threads=options.threads)
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    print("\n".join(head_lines(head(["onnxruntime"], rounds=plan.rounds, threads=plan.threads))), flush=True)
    for line in lines(plan):
        print(line, flush=True)


if __name__ == "__main__":
    main()
