#!/usr/bin/env python3
"""Write the table of the zoo into `specs/README.md`; `--check` only reports whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import archspec  # noqa: E402
from archspec import zoo  # noqa: E402
from archspec.frontend.language.spec import Expected  # noqa: E402
from archspec.report import units  # noqa: E402
from tools import pages  # noqa: E402

HEADINGS = ("network", "parameters", "MACs", "depth", "field", "memory", "agrees with", "in")


def page() -> str:
    """The page with an up-to-date table."""
    return pages.filled(pages.LANGUAGE.read_text("utf-8"), {"zoo": pages.table(HEADINGS, rows())})


def rows() -> Iterator[tuple[str, ...]]:
    """One row per network: its facts, and the published facts they were compared with."""
    for name, path in zoo.names():
        network = archspec.load(name)
        expected = network.spec.expect or network.spec.expect_variants[network.variant or ""]
        yield (
            f"[`{name}`]({path.relative_to(zoo.folder()).as_posix()})",
            f"{network.params:,}",
            f"{network.macs:,}",
            str(network.facts.depth),
            _field(network),
            units.memory(network.memory.peak),
            expected.source or "",
            _compared(expected),
        )


def _field(network: archspec.Network) -> str:
    """The largest receptive field of a layer, without layers that read the whole input."""
    of_inputs = network.facts.input_fields.values()
    sizes = {field.size for fields in of_inputs for field in fields.values() if None not in field.size}
    largest = [rows or 0 for rows in max(sizes, key=lambda size: [rows or 0 for rows in size], default=())]
    if max(largest, default=1) == 1:  # each position reads one position: there is no sliding window
        return ""
    return units.size(largest[:1] if len(set(largest)) == 1 else largest)


def _compared(expected: Expected) -> str:
    """The names of the facts that the source states."""
    facts = [{"params": "parameters", "macs": "MACs"}.get(fact, fact.replace("_", " ")) for fact in expected.facts]
    layers = [units.plural(len(expected.layers), "layer")] if expected.layers else []
    return ", ".join([*facts, *(["outputs"] if expected.outputs else []), *layers])


if __name__ == "__main__":
    sys.exit(pages.main(pages.LANGUAGE, page(), __doc__))
