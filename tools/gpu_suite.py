#!/usr/bin/env python3
"""All checks that need a GPU, in one run of under eight minutes: `python tools/gpu_suite.py [--json FILE]`.

It runs from a checkout and installs nothing. It needs torch, numpy, pydantic, yaml (PyYAML) and safetensors. It
compares with torchvision and timm where they are installed. Missing packages can be in a folder, as created by
`pip install --target DIR pydantic`, which `--packages DIR` names.

Agreement: each family of the zoo on the device, compared with the CPU: float32, channels last, bfloat16; forward and
backward. Memory: the activations, measured and predicted. Speed: eager modules, then compiled ones. Compiling takes
long, so these are left out first if time runs out; `--parts compiled` measures them alone. Ratios are to the first line
of a table: median (min to max).

`--device cpu --quick` is a test run of a few seconds. The exit code is 1 if a network differs, 2 if it cannot run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("torch", "numpy", "pydantic", "yaml", "safetensors")

NETWORKS = {
    "resnet50": (3, 224, 224),
    "vgg16": (3, 224, 224),
    "densenet121": (3, 224, 224),
    "efficientnet_b0": (3, 224, 224),
    "unet_padded": (3, 256, 256),
}
BATCHES = (1, 32, 256)
PARTS = ("agreement", "memory", "eager", "compiled")
COMPILING = 100
"""The seconds that must be left to start a comparison of compiled modules."""


def main() -> int:
    """Parse the options, check that the needed packages are installed, and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="bfloat16", help="precision of the speed measurements")
    parser.add_argument("--quick", action="store_true", help="three families, one small network, nothing compiled")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--budget", type=float, default=420, help="seconds after which no new measurement starts")
    parser.add_argument("--packages", type=Path, help="a folder with packages that are not installed")
    parser.add_argument("--json", type=Path, help="write the results to this file, after every row")
    chosen = parser.parse_args()
    sys.path[:0] = [str(ROOT)]
    if chosen.packages:
        sys.path.append(str(chosen.packages))
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"cannot run: {', '.join(missing)} cannot be imported; see --packages in {Path(__file__).name}")
        return 2
    return Suite(chosen).run()


class Suite:
    """One run: its results so far, and the time that is left."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        import torch

        self.chosen = chosen
        self.end = time.monotonic() + chosen.budget
        self.device = torch.device(chosen.device)
        self.dtype = getattr(torch, chosen.dtype)
        self.found: dict[str, Any] = {"agreement": [], "memory": [], "speed": [], "left_out": []}
        self.disagreed = False

    def run(self) -> int:
        """Run all parts, the most important first. Returns the exit code."""
        import torch

        from tools.measure import head, head_lines

        if self.device.type == "cuda" and not torch.cuda.is_available():
            print("cannot run: PyTorch finds no GPU; --device cpu --quick tests the rest")
            return 2
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        about = head(("torch", "torchvision", "timm"), device=name, dtype=self.chosen.dtype, budget=self.chosen.budget)
        self.found = {**about, **self.found}
        print(*head_lines(about), sep="\n", flush=True)
        parts = {
            "agreement": self.agreement,
            "memory": self.memory,
            "eager": partial(self.speed, compiled=False),
            "compiled": partial(self.speed, compiled=True),
        }
        for part, work in parts.items():
            if part in self.chosen.parts:
                work()
        self.keep()
        agreed = sum(row["good"] for row in self.found["agreement"])
        print(f"\n{agreed} of {len(self.found['agreement'])} comparisons agree", flush=True)
        return 1 if self.disagreed else 0

    def agreement(self) -> None:
        """Compare each family of the zoo with the CPU."""
        import torch

        from tests.zoo.small import small
        from tools.gpu.agreement import agreements

        print("\nagreement with float64 on the CPU", flush=True)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        for name in self.families():
            if self.over(name):
                continue
            for row in agreements(small(name), self.device):
                print(row.line(), flush=True)
                self.disagreed |= not row.good
                self.found["agreement"].append(row.as_json())
        torch.backends.cudnn.allow_tf32 = True  # PyTorch's default
        self.keep()

    def families(self) -> list[str]:
        """One network of each family; in a quick run, of two small families."""
        from tests.zoo.small import FAMILY

        first = {family: name for name, family in reversed(FAMILY.items())}
        return [first[family] for family in sorted(first) if not self.chosen.quick or family in ("lenet", "squeezenet")]

    def memory(self) -> None:
        """Compare the peak memory with the prediction, on a GPU."""
        if self.device.type != "cuda":
            return self.leave_out("memory: allocations are counted on a GPU only")
        from tools.gpu.memory import peaks
        from tools.gpu.speed import tidy

        print(
            "\nmemory of activations, float32: the peak at inference, the bytes kept for the backward pass in training",
            flush=True,
        )
        for name, net in self.networks():
            if not self.over(f"memory of {name}"):
                for row in peaks(net, 32, self.device):
                    print(row.line(), flush=True)
                    self.found["memory"].append(vars(row))
            tidy(self.device)
        return self.keep()

    def speed(self, *, compiled: bool) -> None:
        """Compare the throughput with other libraries."""
        from tools.gpu.speed import compared, rivals, settings, tidy

        quick = self.chosen.quick
        if quick and compiled:
            return self.leave_out("compiled modules: not in a quick run")
        makers, missing = rivals()
        for line in missing:
            self.leave_out(line)
        networks = [(name, net.graph.inputs[0].type.sizes) for name, net in self.networks()]
        for setting in settings(networks, (1,) if quick else BATCHES, self.dtype, self.device, compiled=compiled):
            if self.over(setting.title, COMPILING if compiled else 0):
                continue
            try:
                table = compared(setting, makers, rounds=2 if quick else 12)
            except RuntimeError as error:  # out of memory, or a module does not compile
                self.leave_out(f"{setting.title}: {next(iter(str(error).splitlines()), type(error).__name__)}")
            else:
                print("", *table.lines(), sep="\n", flush=True)
                self.found["speed"].append({**table.as_json(), "batch": setting.batch, "mode": setting.mode})
                self.keep()
            tidy(self.device)
        return None

    def networks(self) -> Iterator[tuple[str, Any]]:
        """The networks whose speed and memory are measured; those that are not in the zoo are listed as left out."""
        import archspec
        from archspec import zoo

        known = {name for name, _ in zoo.names()}
        for name, sizes in ({"squeezenet1_1": (3, 64, 64)} if self.chosen.quick else NETWORKS).items():
            if name in known:
                yield name, archspec.load(name, input=sizes)
            else:
                self.leave_out(f"{name}: not in the zoo")

    def over(self, what: str, needed: float = 0) -> bool:
        """Whether too little time is left for a measurement, which is then listed as left out."""
        late = time.monotonic() + needed > self.end
        if late:
            self.leave_out(f"{what}: no time left")
        return late

    def leave_out(self, line: str) -> None:
        """Print and record what is left out, once."""
        if line not in self.found["left_out"]:
            print(f"left out: {line}", flush=True)
            self.found["left_out"].append(line)

    def keep(self) -> None:
        """Write the results so far."""
        if self.chosen.json:
            self.chosen.json.write_text(json.dumps(self.found, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
