#!/usr/bin/env python3
"""Fuzz specs and files of weights: `./tools/fuzz.py [COUNT] [--seed N]`; a failure is shrunk to a minimal input.

Mutated specs go through `check`, `parse` and `schema`, and, for each 50 of them, one mutated file of weights is read.
Each input may take 2 s and 500 MB. An input that cannot be stopped ends its process, which is replaced. The table at
the end goes to `tools/results/`.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.fuzzing.inputs import Failure, What, input_of, smallest, tried  # noqa: E402
from tests.fuzzing.limits import BYTES, SECONDS  # noqa: E402
from tools.measure import head, head_lines  # noqa: E402

PACKAGES = ("pyyaml", "pydantic", "numpy", "torch", "safetensors")

FILES = 50
"""The specs for each file of weights."""

PATIENCE = 60.0
"""The seconds without progress after which a process is ended."""


@dataclass
class Part:
    """The inputs of one process: seeds from `first` to `end` in steps; `seed` is the one it tries now."""

    what: What
    first: int
    end: int
    step: int
    process: Any = None
    seed: Any = None
    last: int = -1
    since: float = field(default_factory=time.monotonic)


def main() -> int:
    """Print each kind of failure once, shrunk, and the table; 1 if an input failed."""
    options = _options()
    counts: dict[What, int] = {"texts": options.count, "checkpoints": options.count // FILES}
    counts = {what: count for what, count in counts.items() if options.only in (None, what)}
    failed: Counter[tuple[str, str]] = Counter()
    start = time.monotonic()
    for what, count in counts.items():
        for failure in _failures(what, options.seed, count, options.workers):
            failed[what, failure.kind] += 1
            if failed[what, failure.kind] <= options.show:
                print(f"\n{what}, seed {failure.seed}: {failure.message}\n{failure.data!r}", flush=True)
    print("\n".join(table(counts, failed, options.seed, time.monotonic() - start)))
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=1_000_000, help="how many specs (1,000,000)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first (0)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (one per core)")
    parser.add_argument("--show", type=int, default=1, help="how many failures of each kind to show (1)")
    parser.add_argument("--only", choices=("texts", "checkpoints"), help="fuzz only these")
    return parser.parse_args()


def _failures(what: What, first: int, count: int, workers: int) -> Iterator[Failure]:
    """The failures of all inputs, in processes of their own that are replaced when they end or hang."""
    context = get_context("spawn")
    results = context.Queue()
    parts = [Part(what, first + i, first + count, workers) for i in range(min(workers, count))]
    for part in parts:
        _start(part, context, results)
    while parts:
        try:
            yield results.get(timeout=1)
            continue
        except queue.Empty:
            pass
        for part in list(parts):
            if part.seed.value != part.last:
                part.last, part.since = part.seed.value, time.monotonic()
            hangs = time.monotonic() - part.since > PATIENCE
            if part.process.is_alive() and not hangs:
                continue
            part.process.kill()
            part.process.join()
            if part.seed.value >= part.end:
                parts.remove(part)
                continue
            kind = "hangs" if hangs else f"ends the process ({part.process.exitcode})"
            yield _without_process(what, part.seed.value, kind)
            part.first = part.seed.value + part.step
            _start(part, context, results)


def _start(part: Part, context: Any, results: Any) -> None:
    part.seed = context.Value("q", part.first)
    part.last, part.since = -1, time.monotonic()
    part.process = context.Process(
        target=_work, args=(part.what, part.first, part.end, part.step, part.seed, results), daemon=True
    )
    part.process.start()


def _work(what: What, first: int, end: int, step: int, current: Any, results: Any) -> None:
    """Try every input of a part; the failures go to `results`."""
    import warnings

    warnings.simplefilter("ignore")
    shown: Counter[str] = Counter()
    for seed in range(first, end, step):
        current.value = seed
        failure = tried(what, seed)
        if failure is not None:
            shown[failure.kind] += 1
            results.put(smallest(what, failure) if shown[failure.kind] == 1 else failure)
    current.value = end


def _without_process(what: What, seed: int, kind: str) -> Failure:
    return Failure(seed, input_of(what, seed)[1], kind, kind)


def table(counts: dict[What, int], failed: Counter[tuple[str, str]], first: int, seconds: float) -> Iterator[str]:
    """What ran, and the inputs that failed, by kind."""
    limits = f"{SECONDS:g} s and {BYTES >> 20} MB each"
    yield from head_lines(head(PACKAGES, seeds=f"from {first}", limits=limits, minutes=round(seconds / 60)))
    yield ""
    yield "| inputs | tried | failed |"
    yield "| --- | ---: | ---: |"
    names: dict[What, str] = {"texts": "mutated specs", "checkpoints": "mutated files of weights"}
    for what, count in counts.items():
        yield f"| {names[what]} | {count:,} | {sum(n for (of, _), n in failed.items() if of == what):,} |"
    for (what, kind), count in failed.most_common():
        yield f"| {what}: {kind} | | {count:,} |"


if __name__ == "__main__":
    sys.exit(main())
