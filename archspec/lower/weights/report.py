"""The report on whether weights fit a network: which weights match and which do not, name by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from archspec.diagnostics import ArchspecError, Note, aligned, fail, visible
from archspec.ir.graph import Graph
from archspec.ir.types import DType, Weight
from archspec.lower.weights.rename_proposals import proposals

COUNTER = "num_batches_tracked"
"""A counter that only training reads. Old checkpoints and other frameworks lack it; it is 0 then."""

_SHOWN = 4
"""The number of mismatches of each kind that a diagnostic lists."""


class Form(NamedTuple):
    """The shape of a tensor, and PyTorch's name of its element type."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return str(list(self.shape)) + ("" if self.dtype == DType.FLOAT32 else f" {self.dtype}")

    def as_json(self) -> dict[str, Any]:
        """The form as plain data."""
        return {"shape": list(self.shape), "dtype": self.dtype}


class WeightMismatch(NamedTuple):
    """A weight whose shape or element type is not the network's."""

    name: str
    wanted: Form
    got: Form


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """How loaded weights fit a network. All names are those after `renamed` is applied.

    Attributes:
        network: the name of the network.
        origin: how diagnostics refer to the weights: `the weights in old.pth`.
        matched: the weights that fit.
        missing: weights of the network that were not loaded.
        unexpected: loaded weights that the network does not have.
        wrong_shape: weights of another shape.
        wrong_dtype: floats where integers are expected, or the reverse. Another precision fits.
        counters: missing batch counters, which are set to 0.
        renamed: pairs of old and new names, changed by the spec's `rename`.
        stripped: descriptions of the wrappers and prefixes that were removed.
        foreign: tensors that were left out, by a rule or as parts of something around the network.
        proposed: rules that rename unexpected weights to missing ones of the same shape, as `rename` of a spec.
        kind: what the file is, in words.
        siblings: other variants of the spec that the weights fit as well, and whose ops differ.
        note: what to know about them.
    """

    network: str
    origin: str
    matched: tuple[str, ...]
    missing: tuple[tuple[str, Form], ...] = ()
    unexpected: tuple[tuple[str, Form], ...] = ()
    wrong_shape: tuple[WeightMismatch, ...] = ()
    wrong_dtype: tuple[WeightMismatch, ...] = ()
    counters: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    stripped: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    proposed: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    siblings: tuple[str, ...] = ()
    note: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the loaded weights are exactly those of the network."""
        return not any(self._mismatches.values())

    @property
    def message(self) -> str:
        """The report in one line: the number of weights of each kind."""
        counts = [f"{len(entries)} {kind}" for kind, entries in self._mismatches.items() if entries]
        if not counts:
            return f"{self.origin} fit '{self.network}': {len(self.matched)} matched"
        return f"{self.origin} do not fit '{self.network}': {', '.join([*counts, f'{len(self.matched)} matched'])}"

    def text(self, *, advice: bool = True) -> str:
        """The full report, safe to print: one line per weight that does not match.

        With `advice` it starts with what the file is, and ends with what to do and to know.
        """
        notes = [*self._changes(), *(note for kind in self._mismatches for note in self._listed(kind))]
        help = self._advice() if advice and not self.complete else None
        rules = self._rules() if advice and len(self.proposed) > _SHOWN else []
        lines = [self.kind if advice else "", self.message, *aligned(notes), f"help: {help}" if help else "", *rules]
        return "\n".join(visible(line) for line in (*lines, advice and self.note) if line)

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "network": self.network,
            "origin": self.origin,
            "complete": self.complete,
            "matched": list(self.matched),
            "missing": [{"name": name, **form.as_json()} for name, form in self.missing],
            "unexpected": [{"name": name, **form.as_json()} for name, form in self.unexpected],
            "wrong_shape": [_mismatch(entry) for entry in self.wrong_shape],
            "wrong_dtype": [_mismatch(entry) for entry in self.wrong_dtype],
            "counters": list(self.counters),
            "renamed": dict(self.renamed),
            "stripped": list(self.stripped),
            "foreign": list(self.foreign),
            "proposed": dict(self.proposed),
            "file": self.kind or None,
            "siblings": list(self.siblings),
        }

    def error(self, advice: str | None = None) -> ArchspecError:
        """The error to raise: the first mismatches of each kind, and `advice` or the report's own suggestion."""
        notes = [*self._changes(), *(note for kind in self._mismatches for note in self._listed(kind, _SHOWN))]
        return fail("wrong-weights", self.message, notes=notes, help=advice or self._advice())

    @property
    def _mismatches(self) -> Mapping[str, Sequence[tuple[Any, ...]]]:
        return {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "wrong shape": self.wrong_shape,
            "wrong dtype": self.wrong_dtype,
        }

    def _changes(self) -> Iterator[Note]:
        for i, description in enumerate(self.stripped):
            yield "stripped:" if i == 0 else "", description
        if self.foreign:
            more = len(self.foreign) - _SHOWN
            yield "left out:", ", ".join(self.foreign[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        if self.renamed:
            (old, new), *others = self.renamed
            yield "renamed:", f"{old} to {new}" + (f", and {len(others)} more" if others else "")

    def _listed(self, kind: str, most: int | None = None) -> Iterator[Note]:
        """The mismatches of a kind, one per line, at most `most` of them, and the number of the others."""
        entries = self._mismatches[kind]
        for i, (name, wanted, *got) in enumerate(entries[:most]):
            yield (f"{kind}:" if i == 0 else "", name, str(wanted), *(f"got {form}" for form in got))
        if most is not None and len(entries) > most:
            yield "", f"and {len(entries) - most} more"

    def _rules(self) -> list[str]:
        """The proposed rules as a part of a spec."""
        return ["rename:", *(f"  {_quoted(old)}: {_quoted(new)}" for old, new in self.proposed)]

    def _advice(self) -> str | None:
        if self.proposed:
            single = {name for name, _ in self.unexpected}
            ends = [("", "") if old in single else (".*", ".*" if new else "*") for old, new in self.proposed]
            shown = [f"{old}{a} -> {new}{b}" for (old, new), (a, b) in zip(self.proposed, ends, strict=True)]
            more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
            rules = "the `rename` that `archspec weights` prints"
            if not more:
                rules = f"rename: {{{', '.join(rule.strip() for rule in self._rules()[1:])}}}"
            if len(shown) <= 2:
                rules += "".join(f", or --rename '{old}={new}'" for old, new in self.proposed[:1])
                rules += "".join(f" --rename '{old}={new}'" for old, new in self.proposed[1:])
            return f"the shapes agree for {', '.join(shown[:_SHOWN])}{more}; if these are the same layers, use {rules}"
        if self.matched:
            return "use strict=False or --no-strict to load what fits; unmatched weights keep their initial values"
        if not self.missing:
            return None
        return "none of them fit: they belong to another network, or to one with other layer names"


def report(
    graph: Graph,
    forms: Mapping[str, Form],
    origin: str,
    *,
    renamed: Sequence[tuple[str, str]] = (),
    stripped: Sequence[str] = (),
    foreign: Sequence[str] = (),
    kind: str = "",
) -> WeightsReport:
    """The report on weights of these forms, by their names in the state dict, for a graph."""
    wanted = {name: _form(weight) for name, weight in graph.weights()}
    both = [WeightMismatch(name, form, forms[name]) for name, form in wanted.items() if name in forms]
    shapes = [found for found in both if found.wanted.shape != found.got.shape]
    misshapen = {found.name for found in shapes}
    same_shape = [found for found in both if found.name not in misshapen]
    dtypes = [found for found in same_shape if not _converts(found.got.dtype, found.wanted.dtype)]
    mistyped = {found.name for found in dtypes}
    missing = tuple((name, form) for name, form in wanted.items() if name not in forms and not is_counter(name))
    unexpected = tuple((name, form) for name, form in forms.items() if name not in wanted)
    return WeightsReport(
        graph.name,
        origin,
        matched=tuple(found.name for found in same_shape if found.name not in mistyped),
        missing=missing,
        unexpected=unexpected,
        wrong_shape=tuple(shapes),
        wrong_dtype=tuple(dtypes),
        counters=tuple(name for name in wanted if name not in forms and is_counter(name)),
        renamed=tuple(renamed),
        stripped=tuple(stripped),
        foreign=tuple(foreign),
        proposed=proposals(dict(unexpected), dict(missing)),
        kind=f"{kind} with {len(forms)} tensor{'s' if len(forms) != 1 else ''}" if kind else "",
    )


def _quoted(text: str) -> str:
    """A name as a key or value in a mapping of YAML."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", text) and text.lower() not in ("true", "false", "null")
    return text if is_plain else json.dumps(text)


def _form(weight: Weight) -> Form:
    return Form(weight.shape, weight.dtype.value)


def is_counter(name: str) -> bool:
    """Whether a weight is a counter that may be absent."""
    return name.rpartition(".")[2] == COUNTER


def _converts(got: str, wanted: str) -> bool:
    """Whether elements of one type can be converted to the other: both are floats, or both are integers."""
    return "float" in got if wanted == DType.FLOAT32 else got.startswith(("int", "uint", "bool"))


def _mismatch(mismatch: WeightMismatch) -> dict[str, Any]:
    return {"name": mismatch.name, "wanted": mismatch.wanted.as_json(), "got": mismatch.got.as_json()}
