#!/usr/bin/env python3
"""Compare the speed of archspec with other tools: `./tools/bench.py [--rounds N] [--versus CHECKOUT]`.

Contenders alternate within one run, round after round, since the speed of a machine drifts. A table gives the median
and the minimum of each contender, and the ratio per round to the first line: median, minimum and maximum. `--versus`
compares start-up and loads with another checkout of archspec instead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tools.measure import Work, interleaved, seconds  # noqa: E402

CHAIN = """
archspec: 1
name: chain
params: {{pairs: {pairs}}}
input: [8, 32, 32]
layers:
  - repeat:
      times: pairs
      layers:
        - conv: {{channels: 8, kernel: 3, padding: 1}}
        - relu
"""

TORCHINFO = """
import sys
sys.path.insert(0, {root!r})
from tests.tv import torchvision
from torchinfo import summary
print(summary(torchvision.models.resnet50(), (1, 3, 224, 224), verbose=0))
"""

DENSENET = """
archspec: 1
name: densenet121
input: [3, 224, 224]
blocks:
  dense_layer:
    layers:
      - parallel:
          paths:
            - []
            - - batch_norm
              - relu
              - conv: {channels: 128, kernel: 1, bias: false}
              - batch_norm
              - relu
              - conv: {channels: 32, kernel: 3, padding: 1, bias: false}
layers:
  - conv: {channels: 64, kernel: 7, stride: 2, padding: 3, bias: false}
  - batch_norm
  - relu
  - max_pool: {kernel: 3, stride: 2, padding: 1}
  - repeat:
      over: [6, 12, 24, 16]
      as: layers
      index: b
      layers:
        - repeat: {times: layers, layers: [dense_layer]}
        - batch_norm
        - relu
        - conv: {when: b < 3, channels: in.channels // 2, kernel: 1, bias: false}
        - avg_pool: {when: b < 3, kernel: 2}
  - global_avg_pool
  - flatten
  - linear: 1000
expect: {params: 7_978_856}
"""


def compare(title: str, contenders: Sequence[tuple[str, Work]], rounds: int, unit: float = 1e3) -> None:
    """Time contenders in alternation and print a table; ratios are to the first."""
    print("", *interleaved(title, contenders, rounds).lines(unit), sep="\n")


def in_process(rounds: int) -> None:
    """Loading and all analyses, compared with torchinfo and with a forward pass on the meta device."""
    import torch
    from torchinfo import summary

    import archspec
    from archspec.network import Network
    from tests.tv import torchvision

    def facts(net: Network) -> object:
        return net.facts.total, net.facts.memory, net.facts.fields

    def ours(name: str) -> Callable[[], object]:
        if name == "densenet121":
            return lambda: facts(archspec.parse(DENSENET))
        return lambda: facts(archspec.load(name))

    def theirs(name: str) -> Callable[[], object]:
        return lambda: summary(torchvision.models.get_model(name), (1, 3, 224, 224), verbose=0)

    def meta(name: str) -> Callable[[], object]:
        def run() -> object:
            with torch.device("meta"):
                return torchvision.models.get_model(name).eval()(torch.empty(1, 3, 224, 224))

        return run

    for name in ("resnet50", "resnet152", "vgg16", "densenet121"):
        compare(
            f"{name}: build and analyse, in process",
            [
                ("archspec: load, costs, memory, fields", ours(name)),
                ("torchvision + torchinfo: build, summary", theirs(name)),
                ("torchvision on the meta device: build, forward", meta(name)),
            ],
            rounds,
        )


def whole_process(rounds: int) -> None:
    """`archspec summary resnet50` compared with a script that uses torchinfo, from start to exit."""
    commands = {
        "archspec summary resnet50": [sys.executable, "-m", "archspec", "summary", "resnet50"],
        "a script: torchvision + torchinfo": [sys.executable, "-c", TORCHINFO.format(root=str(ROOT))],
        "archspec check resnet50": "from archspec.cli import run; run(['check', 'resnet50'])",
    }

    def run(command: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
        )

    compare("whole process", [(name, run(command)) for name, command in commands.items()], rounds, unit=1)


STARTS = {
    "archspec --version": ["-m", "archspec", "--version"],
    "archspec check resnet50": ["-m", "archspec", "check", "resnet50"],
    "import archspec": ["-c", "import archspec"],
    "import archspec, check and load": ["-c", "import archspec; archspec.check, archspec.load"],
}
"""Statements whose start-up time users notice. Each runs in its own process, with compiled bytecode."""

FIRST_LOAD = """
import time, archspec
archspec.load
start = time.perf_counter()
archspec.load("resnet50").macs
print(time.perf_counter() - start)
"""

LOADS = """
import time, archspec
def load(spec):
    net = archspec.load(spec) if len(spec) < 99 else archspec.parse(spec)
    net.facts.total, net.facts.memory, net.facts.fields
for spec in ("resnet50", "densenet201", {chain!r}):
    load(spec)
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        load(spec)
        runs.append(time.perf_counter() - start)
    print(min(runs))
"""


def python(words: Sequence[str], checkout: Path) -> str:
    """Run a script with the archspec of a checkout. Returns its output."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-P", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def start_up(rounds: int, checkouts: Sequence[Path]) -> None:
    """Start-up of commands and of Python, with the checkouts in alternation; the first round is not counted."""

    def starting(words: Sequence[str], checkout: Path) -> Callable[[], object]:
        return lambda: python(words, checkout)

    for title, words in {"an empty Python": ["-c", ""], **STARTS}.items():
        contenders = [(checkout.name, starting(words, checkout)) for checkout in checkouts]
        for _, run in contenders:
            run()
        compare(f"start-up: {title}", contenders, rounds)


def loads(rounds: int, checkouts: Sequence[Path]) -> None:
    """The first load of ResNet-50 in a process, and later loads, with the checkouts in alternation."""
    scripts = {
        ("first load of ResNet-50",): FIRST_LOAD,
        ("ResNet-50", "DenseNet-201", "24,000 layers"): LOADS.format(chain=CHAIN.format(pairs=12_000)),
    }
    for titles, script in scripts.items():
        times = {checkout: [] for checkout in checkouts}  # type: dict[Path, list[list[float]]]
        for _ in range(rounds):
            for checkout in checkouts:
                times[checkout].append([float(line) for line in python(["-c", script], checkout).split()])
        for i, title in enumerate(titles):
            print(f"\nin process: {title}")
            for checkout in checkouts:
                runs = [run[i] for run in times[checkout]]
                ratios = sorted(
                    run[i] / first[i] for run, first in zip(times[checkout], times[checkouts[0]], strict=True)
                )
                print(
                    f"  {checkout.name:<52} {statistics.median(runs) * 1e3:9.2f} ms  (min {min(runs) * 1e3:8.2f})  "
                    f"{statistics.median(ratios):8.2f} x  ({ratios[0]:.2f} to {ratios[-1]:.2f})"
                )


def growth(rounds: int) -> None:
    """The time and memory per layer as networks grow. Each measurement runs in its own process."""
    print("\ncost per layer: load, costs, memory, fields")
    found: dict[int, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for layers in (1_000, 10_000, 100_000):
            done = subprocess.run(
                [sys.executable, __file__, "--chain", str(layers)], check=True, capture_output=True, text=True
            )
            found.setdefault(layers, []).append(json.loads(done.stdout))
    first = statistics.median(run["microseconds"] for run in found[1_000])
    for layers, runs in found.items():
        cost = statistics.median(run["microseconds"] for run in runs)
        memory = statistics.median(run["megabytes"] for run in runs)
        print(f"  {layers:>7,} layers  {cost:6.1f} us per layer  {cost / first:5.2f} x  {memory:6.0f} MB peak")


def chain(layers: int) -> None:
    """One measurement of `growth`: the fastest of five runs."""
    import archspec

    text = CHAIN.format(pairs=layers // 2)

    def run() -> object:
        net = archspec.parse(text)
        return net.facts.total, net.facts.memory, net.facts.fields

    run()
    best = min(seconds(run) for _ in range(5))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"microseconds": best / layers * 1e6, "megabytes": peak}))


def main() -> None:
    """Run all comparisons, or one measurement of `growth`, which starts such processes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--versus", type=Path, help="another checkout, to compare start-up and loads with")
    parser.add_argument("--chain", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.chain:
        chain(chosen.chain)
        return
    print(f"Python {platform.python_version()}, {platform.machine()}, {chosen.rounds} rounds; ratios to the first line")
    checkouts = [ROOT, *([chosen.versus.resolve()] if chosen.versus else [])]
    start_up(chosen.rounds, checkouts)
    loads(chosen.rounds, checkouts)
    if chosen.versus:
        return
    growth(chosen.rounds)  # before PyTorch is loaded: a child process inherits the peak memory of its parent
    in_process(chosen.rounds)
    whole_process(chosen.rounds)


if __name__ == "__main__":
    main()
