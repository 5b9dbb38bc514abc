"""What the benchmarks share: contenders timed in turn, round after round, a table of them, and what they ran on."""

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
    """One run, the garbage of the last one collected before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Row:
    """A contender's times, one a round, and those of the first contender in the same rounds."""

    name: str
    times: Sequence[float]
    first: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def ratios(self) -> list[float]:
        """The time over the first contender's, round by round."""
        return [own / first for own, first in zip(self.times, self.first, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """The times in seconds, and the ratios' median, least and most."""
        ratios = self.ratios
        spread = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
        return {"name": self.name, "seconds": list(self.times), "median": self.median, "ratio": spread}


@dataclass(frozen=True)
class Table:
    """A comparison: a title and its contenders' rows, the first of which the others are held against."""

    title: str
    rows: Sequence[Row]

    def lines(self, unit: float = 1e3) -> Iterator[str]:
        """The table as text; `unit` is 1e3 for milliseconds and 1 for seconds."""
        yield self.title
        label = "ms" if unit == 1e3 else "s"
        for row in self.rows:
            ratios = row.ratios
            spread = f"{statistics.median(ratios):8.2f} x  ({min(ratios):.2f} to {max(ratios):.2f})"
            times = f"{row.median * unit:9.2f} {label}  (least {min(row.times) * unit:8.2f})"
            yield f"  {row.name:<54} {times}  {spread}"

    def as_json(self) -> dict[str, Any]:
        """The table as one object."""
        return {"title": self.title, "rows": [row.as_json() for row in self.rows]}


def interleaved(
    title: str, contenders: Sequence[tuple[str, Work]], rounds: int, clock: Clock = seconds, warm_up: int = 1
) -> Table:
    """Time contenders in turn, so that what disturbs a machine meets them all.

    Each round begins with the next contender: who follows whom is not always the same.
    """
    for _ in range(warm_up):
        for _, work in contenders:
            work()
    times: list[list[float]] = [[] for _ in contenders]
    for done in range(rounds):
        for i in range(len(contenders)):
            turn = (i + done) % len(contenders)
            times[turn].append(clock(contenders[turn][1]))
    return Table(title, [Row(name, own, times[0]) for (name, _), own in zip(contenders, times, strict=True)])


def head(packages: Sequence[str], **more: Any) -> dict[str, Any]:
    """When, on what and with which versions something was measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "versions": {package: _version(package) for package in packages},
        **more,
    }


def head_lines(head: dict[str, Any]) -> Iterator[str]:
    """A head as text, with a word of warning where other programs were running."""
    versions = ", ".join(f"{package} {found or 'not installed'}" for package, found in head["versions"].items())
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
    """The processor's name, where the system tells it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
