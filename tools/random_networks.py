#!/usr/bin/env python3
"""Check random networks: `./tools/random_networks.py [COUNT] [--seed N]`; a failure is shrunk to a minimal spec.

Every check of `tests/random_networks/checks.py` runs on every network: what is said about it, and what PyTorch, ONNX
Runtime and Keras compute with it, at its own and at other sizes. The table at the end goes to `tools/results/`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tools.measure import head, head_lines  # noqa: E402

PACKAGES = ("torch", "onnx", "onnxruntime", "keras", "numpy")

CHUNK = 20
"""The networks that a worker checks at a time."""

Row = tuple[int, tuple[tuple[str, str, str], ...], tuple[str, ...], int]
"""A seed, its failures (kind, message, spec), the targets that refuse it, and its layers."""


def main() -> int:
    """Print each kind of failure once, shrunk, and the table; 1 if a network failed."""
    options = _options()
    chunks = [
        range(first, min(first + CHUNK, options.seed + options.count))
        for first in range(options.seed, options.seed + options.count, CHUNK)
    ]
    rows: list[Row] = []
    shown: Counter[str] = Counter()
    for found in _rows(chunks, options.workers, options.check):
        rows += found
        for seed, failures, _, _ in found:
            for kind, message, spec in failures:
                shown[kind] += 1
                if shown[kind] <= options.show:
                    print(f"\nseed {seed}: {message}\n\n{spec}", flush=True)
    print("\n".join(table(rows, options.seed, options.count)))
    return int(any(failures for _, failures, _, _ in rows) or len(rows) < options.count)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="how many networks (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first (0)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (one per core)")
    parser.add_argument("--show", type=int, default=1, help="how many failures of each kind to show (1)")
    parser.add_argument("--check", action="append", help="run this check only (repeatable)")
    return parser.parse_args()


def _rows(chunks: Iterable[Sequence[int]], workers: int, checks: Sequence[str] | None) -> Iterator[list[Row]]:
    """The rows of each chunk. A chunk that ends its worker is reported, and the others go on."""
    waiting = list(chunks)
    while waiting:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_quiet) as pool:
            futures = {pool.submit(_checked, chunk, checks): chunk for chunk in waiting}
            for future in as_completed(futures):
                try:
                    rows = future.result()
                except BrokenProcessPool:
                    break
                waiting.remove(futures[future])
                yield rows
            else:
                return
        # The chunk that ended its worker is among those that ran: each seed of the first few is tried alone.
        suspects = [seed for chunk in waiting[:workers] for seed in chunk]
        del waiting[:workers]
        for seed in suspects:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_quiet) as pool:
                try:
                    yield pool.submit(_checked, [seed], checks).result()
                except BrokenProcessPool:
                    yield [(seed, (("process", "the process ended", _text(seed)),), (), 0)]


def _quiet() -> None:
    """One thread per process, and no warnings of libraries."""
    import warnings

    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def _checked(seeds: Sequence[int], checks: Sequence[str] | None) -> list[Row]:
    from tests.random_networks.checks import CHECKS, run, smallest
    from tests.random_networks.generator import generate
    from tests.random_networks.text import text_of

    rows: list[Row] = []
    for seed in seeds:
        spec = generate(seed)
        result = run(spec, seed, checks or tuple(CHECKS))
        failures = []
        for failure in {failure.kind: failure for failure in result.failures}.values():
            small, same = smallest(spec, seed, failure)
            failures.append((failure.kind, f"{failure.check}: {same.message}", text_of(small)))
        rows.append((seed, tuple(failures), tuple(result.refused), result.layers))
    return rows


def _text(seed: int) -> str:
    from tests.random_networks.generator import generate
    from tests.random_networks.text import text_of

    return text_of(generate(seed))


def table(rows: Sequence[Row], first: int, count: int) -> Iterator[str]:
    """What ran, and the networks that failed or were refused, by check."""
    from tests.random_networks.checks import CHECKS

    yield from head_lines(head(PACKAGES, networks=count, seeds=f"{first} to {first + count - 1}"))
    yield f"{sum(layers for *_, layers in rows):,} layers"
    yield ""
    yield "| check | networks | refused | failed |"
    yield "| --- | ---: | ---: | ---: |"
    refused = Counter(name for _, _, names, _ in rows for name in names)
    failed = Counter(name for _, failures, _, _ in rows for name in {kind.split(":")[0] for kind, _, _ in failures})
    for name in (*CHECKS, *(["process"] if failed["process"] else [])):
        yield f"| {name} | {len(rows):,} | {refused[name]:,} | {failed[name]:,} |"


if __name__ == "__main__":
    sys.exit(main())
