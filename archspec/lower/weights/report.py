"""The report on whether weights fit a network: which weights match and which do not, name by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from archspec.diagnostics import ArchspecError, Note, aligned, fail, visible
from archspec.ir.graph import Graph
from archspec.ir.types import DType, Weight

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

    def text(self) -> str:
        """The full report, safe to print: one line per weight that does not match."""
        notes = [*self._changes(), *(note for kind in self._mismatches for note in self._listed(kind))]
        return "\n".join(map(visible, [self.message, *aligned(notes)]))

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
        if self.renamed:
            (old, new), *more = self.renamed
            yield "renamed:", f"{old} to {new}" + (f", and {len(more)} more" if more else "")

    def _listed(self, kind: str, most: int | None = None) -> Iterator[Note]:
        """The mismatches of a kind, one per line, at most `most` of them, and the number of the others."""
        entries = self._mismatches[kind]
        for i, (name, wanted, *got) in enumerate(entries[:most]):
            yield (f"{kind}:" if i == 0 else "", name, str(wanted), *(f"got {form}" for form in got))
        if most is not None and len(entries) > most:
            yield "", f"and {len(entries) - most} more"

    def _advice(self) -> str | None:
        if self.matched:
            return "use strict=False or --no-strict to load what fits; unmatched weights keep their initial values"
        if not self.missing:
            return None
        wanted = {name for name, _ in self.missing}
        heads = {name.partition(".")[0] for name, _ in self.unexpected}
        if len(heads) == 1 and any(name.partition(".")[2] in wanted for name, _ in self.unexpected):
            (head,) = heads
            return f'all names begin with \'{head}.\', which the spec can remove: rename: {{"{head}.*": "*"}}'
        return "none of them fit: they belong to another network, or to one with other layer names"


def report(
    graph: Graph,
    forms: Mapping[str, Form],
    origin: str,
    *,
    renamed: Sequence[tuple[str, str]] = (),
    stripped: Sequence[str] = (),
) -> WeightsReport:
    """The report on weights of these forms, by their names in the state dict, for a graph."""
    wanted = {name: _form(weight) for name, weight in graph.weights()}
    both = [WeightMismatch(name, form, forms[name]) for name, form in wanted.items() if name in forms]
    shapes = [found for found in both if found.wanted.shape != found.got.shape]
    misshapen = {found.name for found in shapes}
    same_shape = [found for found in both if found.name not in misshapen]
    dtypes = [found for found in same_shape if not _converts(found.got.dtype, found.wanted.dtype)]
    mistyped = {found.name for found in dtypes}
    return WeightsReport(
        graph.name,
        origin,
        matched=tuple(found.name for found in same_shape if found.name not in mistyped),
        missing=tuple((name, form) for name, form in wanted.items() if name not in forms and not _counter(name)),
        unexpected=tuple((name, form) for name, form in forms.items() if name not in wanted),
        wrong_shape=tuple(shapes),
        wrong_dtype=tuple(dtypes),
        counters=tuple(name for name in wanted if name not in forms and _counter(name)),
        renamed=tuple(renamed),
        stripped=tuple(stripped),
    )


def _form(weight: Weight) -> Form:
    return Form(weight.shape, weight.dtype.value)


def _counter(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER


def _converts(got: str, wanted: str) -> bool:
    """Whether elements of one type can be converted to the other: both are floats, or both are integers."""
    return "float" in got if wanted == DType.FLOAT32 else got.startswith(("int", "uint", "bool"))


def _mismatch(mismatch: WeightMismatch) -> dict[str, Any]:
    return {"name": mismatch.name, "wanted": mismatch.wanted.as_json(), "got": mismatch.got.as_json()}
