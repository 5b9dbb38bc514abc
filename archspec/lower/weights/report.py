"""Whether weights fit a network: a report of what matched and what did not, name by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from archspec.diagnostics import ArchspecError, Note, aligned, fail, visible
from archspec.ir.graph import Graph
from archspec.ir.types import DType, Weight

COUNTER = "num_batches_tracked"
"""A count that only training reads: old checkpoints have none, nor have those of other frameworks. Then it is 0."""

_SHOWN = 4
"""How many faults of each kind a diagnostic lists."""


class Form(NamedTuple):
    """The shape of a tensor and the type of its elements, by the name PyTorch has for it."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return str(list(self.shape)) + ("" if self.dtype == DType.FLOAT32 else f" {self.dtype}")

    def as_json(self) -> dict[str, Any]:
        """A plain mapping."""
        return {"shape": list(self.shape), "dtype": self.dtype}


class WeightMismatch(NamedTuple):
    """A weight that is there, but not as the network has it."""

    name: str
    wanted: Form
    got: Form


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """How weights from outside fit a network. All names are those of the network, after `renamed`.

    Attributes:
        network: what the network is called.
        origin: what the weights are called: `the weights in old.pth`.
        matched: the weights that fit.
        missing: those the network has and the others lack.
        unexpected: those the network does not have.
        wrong_shape: those of another shape.
        wrong_dtype: fractions where whole numbers are wanted, or the other way. Another precision fits.
        counters: the counts of batches that are not there, and are taken for 0.
        renamed: names the spec's `rename` has changed, and what they are now.
        stripped: what was taken off around the weights, in words.
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
        """Whether every weight of the network is there, and nothing else."""
        return not any(self._faults.values())

    @property
    def message(self) -> str:
        """The report in one line, with its numbers."""
        faults = [f"{len(found)} {kind}" for kind, found in self._faults.items() if found]
        if not faults:
            return f"{self.origin} fit '{self.network}': {len(self.matched)} matched"
        return f"{self.origin} do not fit '{self.network}': {', '.join([*faults, f'{len(self.matched)} matched'])}"

    def text(self) -> str:
        """The report in full, safe to print: a line for each weight that did not match."""
        notes = [*self._changes(), *(note for kind in self._faults for note in self._listed(kind))]
        return "\n".join(map(visible, [self.message, *aligned(notes)]))

    def as_json(self) -> dict[str, Any]:
        """The report as one plain mapping."""
        return {
            "network": self.network,
            "origin": self.origin,
            "complete": self.complete,
            "matched": list(self.matched),
            "missing": [{"name": name, **form.as_json()} for name, form in self.missing],
            "unexpected": [{"name": name, **form.as_json()} for name, form in self.unexpected],
            "wrong_shape": [_difference(found) for found in self.wrong_shape],
            "wrong_dtype": [_difference(found) for found in self.wrong_dtype],
            "counters": list(self.counters),
            "renamed": dict(self.renamed),
            "stripped": list(self.stripped),
        }

    def error(self, advice: str | None = None) -> ArchspecError:
        """The error of weights that had to fit and do not: the first faults of each kind, and other advice if given."""
        notes = [*self._changes(), *(note for kind in self._faults for note in self._listed(kind, _SHOWN))]
        return fail("wrong-weights", self.message, notes=notes, help=advice or self._advice())

    @property
    def _faults(self) -> Mapping[str, Sequence[tuple[Any, ...]]]:
        return {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "wrong shape": self.wrong_shape,
            "wrong dtype": self.wrong_dtype,
        }

    def _changes(self) -> Iterator[Note]:
        for i, words in enumerate(self.stripped):
            yield "stripped:" if i == 0 else "", words
        if self.renamed:
            (old, new), *more = self.renamed
            yield "renamed:", f"{old} to {new}" + (f", and {len(more)} more" if more else "")

    def _listed(self, kind: str, most: int | None = None) -> Iterator[Note]:
        """The faults of a kind, one a line, and how many there are beyond `most`."""
        found = self._faults[kind]
        for i, (name, wanted, *got) in enumerate(found[:most]):
            yield (f"{kind}:" if i == 0 else "", name, str(wanted), *(f"got {form}" for form in got))
        if most is not None and len(found) > most:
            yield "", f"and {len(found) - most} more"

    def _advice(self) -> str | None:
        if self.matched:
            return "to load what fits and start the rest anew, use strict=False, or --no-strict"
        if not self.missing:
            return None
        wanted = {name for name, _ in self.missing}
        heads = {name.partition(".")[0] for name, _ in self.unexpected}
        if len(heads) == 1 and any(name.partition(".")[2] in wanted for name, _ in self.unexpected):
            (head,) = heads
            return f'their names all begin with \'{head}.\', which the spec can take off: rename: {{"{head}.*": "*"}}'
        return "none of them fit: they are those of another network, or of one that names its layers otherwise"


def report(
    graph: Graph,
    forms: Mapping[str, Form],
    origin: str,
    *,
    renamed: Sequence[tuple[str, str]] = (),
    stripped: Sequence[str] = (),
) -> WeightsReport:
    """How weights of these forms, by their names in the state dict, fit a graph."""
    wanted = {name: _form(weight) for name, weight in graph.weights()}
    both = [WeightMismatch(name, form, forms[name]) for name, form in wanted.items() if name in forms]
    shapes = [found for found in both if found.wanted.shape != found.got.shape]
    misshapen = {found.name for found in shapes}
    alike = [found for found in both if found.name not in misshapen]
    dtypes = [found for found in alike if not _converts(found.got.dtype, found.wanted.dtype)]
    mistyped = {found.name for found in dtypes}
    return WeightsReport(
        graph.name,
        origin,
        matched=tuple(found.name for found in alike if found.name not in mistyped),
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
    """Whether elements are fractions, or whole numbers, as those wanted are."""
    return "float" in got if wanted == DType.FLOAT32 else got.startswith(("int", "uint", "bool"))


def _difference(found: WeightMismatch) -> dict[str, Any]:
    return {"name": found.name, "wanted": found.wanted.as_json(), "got": found.got.as_json()}
