"""Checks of a network as a part of another one: whole, and cut at one of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import archspec
from archspec.ir.verifier import verify
from tests.random_networks.case import Case

EVERY = 4
"""One network in so many is tried as a part."""


def as_a_part(case: Case) -> Iterator[str]:
    """A network is the same as a part, and its layers are those of the whole where it is cut."""
    if case.seed % EVERY:
        return
    alone = case.network
    with TemporaryDirectory() as folder:
        Path(folder, "part.yaml").write_text(case.text, "utf-8")
        part = _called(case, folder, "")
        at_inference = all(not output.training_only for output in alone.graph.outputs)
        if at_inference and not alone.graph.unused and part.facts.fingerprint != alone.facts.fingerprint:
            yield f"as a part it is {part.facts.fingerprint} instead of {alone.facts.fingerprint}"
        if part.macs != alone.macs:
            yield f"as a part it has {part.macs} multiply-accumulates instead of {alone.macs}"
        inner = [layer.name for layer in alone if not _trains_only(alone, layer.name)]
        until = Random(case.seed).choice(inner) if inner else None
        if until is not None:
            for layer in _called(case, folder, f", until: {until}"):
                whole = alone.layers.get(layer.name.removeprefix("part."))
                if whole is None or (layer.shape, layer.params) != (whole.shape, whole.params):
                    yield f"cut at '{until}', '{layer.name}' differs"


def _trains_only(network: archspec.Network, name: str) -> bool:
    return any(node.name == name for node in network.graph.training_only)


def _called(case: Case, folder: str, options: str) -> archspec.Network:
    """The network that calls the one of a case.

    Raises:
        ArchspecError: it has errors.
    """
    spec = case.network.spec
    assert spec is not None
    inputs = (f"  {v.name}: {{shape: {list(v.type.sizes)}, dtype: {v.type.dtype}}}" for v in case.graph.inputs)
    lines = ["archspec: 1", "name: whole", "import: part.yaml", "inputs:", *inputs]
    text = "\n".join([*lines, f"layers: [{spec.name}: {{name: part{options}}}]"])
    network = archspec.parse(text, path=[folder])
    verify(network.graph)
    return network
