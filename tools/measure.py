"""Shared by the benchmarks: contenders timed in alternation, tables of the results, and the machine they ran on."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Work = Callable[[], object]
Clock = Callable[[Work], float]


def seconds(work: Work) -> float:
    """The seconds of one run; garbage of the previous one is collected first."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Row:
    """A contender's times, one per round, and those of the first contender in the same rounds."""

    name: str
    times: Sequence[float]
    first: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def ratios(self) -> list[float]:
        """The time divided by the first contender's, round by round."""
        return [time / first for time, first in zip(self.times, self.first, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """The times in seconds, and the median, minimum and maximum of the ratios."""
        ratios = self.ratios
        spread = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
        return {"name": self.name, "seconds": list(self.times), "median": self.median, "ratio": spread}


@dataclass(frozen=True)
class Table:
    """A comparison: a title and the contenders' rows; the others are compared with the first."""

    title: str
    rows: Sequence[Row]

    def lines(self, unit: float = 1e3) -> Iterator[str]:
        """The table as text; `unit` is 1e3 for milliseconds and 1 for seconds."""
        yield self.title
        label = "ms" if unit == 1e3 else "s"
        for row in self.rows:
            ratios = row.ratios
            spread = f"{statistics.median(ratios):8.2f} x  ({min(ratios):.2f} to {max(ratios):.2f})"
            times = f"{row.median * unit:9.2f} {label}  (min {min(row.times) * unit:8.2f})"
            yield f"  {row.name:<54} {times}  {spread}"

    def as_json(self) -> dict[str, Any]:
        """The table as one object."""
        return {"title": self.title, "rows": [row.as_json() for row in self.rows]}


def interleaved(
    title: str, contenders: Sequence[tuple[str, Work]], rounds: int, clock: Clock = seconds, warm_up: int = 1
) -> Table:
    """Time contenders in alternation, so that disturbances of the machine affect all of them.

    Each round begins with another contender, so that the order varies.
    """
    for _ in range(warm_up):
        for _, work in contenders:
            work()
    times: list[list[float]] = [[] for _ in contenders]
    for round_ in range(rounds):
        for i in range(len(contenders)):
            turn = (i + round_) % len(contenders)
            times[turn].append(clock(contenders[turn][1]))
    return Table(title, [Row(name, seconds, times[0]) for (name, _), seconds in zip(contenders, times, strict=True)])


def head(packages: Sequence[str], **more: Any) -> dict[str, Any]:
    """The date, machine and versions of a measurement."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "versions": {package: _version(package) for package in packages},
        **more,
    }


def head_lines(head: dict[str, Any]) -> Iterator[str]:
    """A head as text, with a warning if other programs were running."""
    versions = ", ".join(f"{package} {number or 'not installed'}" for package, number in head["versions"].items())
    rest = {key: value for key, value in head.items() if key not in ("date", "python", "machine", "load", "versions")}
    yield f"{head['date']}, {head['machine']}"
    yield f"Python {head['python']}, {versions}"
    yield ", ".join(f"{key} {value}" for key, value in rest.items())
    if head["load"] > 0.5:
        yield f"warning: other programs were running (load {head['load']}): trust the ratios' spread, not the times"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name, if the system reports it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
