"""Variants of a spec that weights cannot tell apart: their weights have the same names and shapes, but not their ops.

ResNet-50 is the known case, with its strides in the 3×3 convolutions, as in torchvision, or in the 1×1 ones before
them, as in the paper: a file of either loads into both, and one of them then computes something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archspec.frontend.elaborate.builder import build
from archspec.frontend.elaborate.overrides import settings
from archspec.frontend.language.spec import Spec
from archspec.ir.graph import Graph
from archspec.passes.fingerprint import fingerprint

if TYPE_CHECKING:
    from archspec.lower.weights import WeightsReport


class BuiltVariant(Protocol):
    """What is read of a `Network`."""

    @property
    def name(self) -> str: ...
    @property
    def spec(self) -> Spec | None: ...
    @property
    def variant(self) -> str | None: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def overrides(self) -> Mapping[str, Any]: ...
    @property
    def inputs(self) -> Mapping[str, tuple[int, ...]]: ...


def with_siblings(report: WeightsReport, network: BuiltVariant, weights: object) -> WeightsReport:
    """The report on weights that fit a network, with the siblings that they fit as well."""
    others = siblings(network) if report.complete else []
    return replace(report, siblings=tuple(others), note=advice(network, others, weights)) if others else report


def siblings(network: BuiltVariant) -> list[str]:
    """The other variants of its spec, for the same params and inputs, with the same weights and another fingerprint."""
    spec, graph = network.spec, network.graph
    if spec is None or network.variant is None:
        return []
    found: list[str] = []
    for variant in spec.variants:
        if variant != network.variant:
            built = build(spec, variant, settings(spec, variant, network.overrides, network.inputs))
            same = not built.diagnostics and _weights(built.graph) == _weights(graph)
            found += [variant] if same and fingerprint(built.graph) != fingerprint(graph) else []
    return found


def _weights(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {key: weight.shape for key, weight in graph.weights()}


def advice(network: BuiltVariant, others: list[str], weights: object) -> str | None:
    """What to know about weights that fit a network and its siblings.

    None if they are in memory, whose owner knows what they are, or if the name of their file says enough.
    """
    if not others or not isinstance(weights, str | Path):
        return None
    variant, file = network.variant or network.name, Path(weights).name
    named = max((name for name in (variant, *others) if _is_in(name, file)), key=len, default=None)
    if named == variant:
        return None
    if named is not None:
        return f"note: {file} may hold weights of '{named}', whose ops differ from those of '{variant}'"
    listed = ", ".join(others)
    return f"note: weights of {listed} have the same shapes, but its ops differ from those of '{variant}'"


def _is_in(name: str, file: str) -> bool:
    """Whether the name of a file contains that of a variant, as `resnet50-0676ba61.pth` does."""
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", file, re.IGNORECASE) is not None
