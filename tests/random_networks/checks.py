"""The checks that every random network must pass, and how they are run."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.random_networks import facts, fields, parts, sizes, targets
from tests.random_networks.case import Case
from tests.random_networks.shrink import shrink

Check = Callable[[Case], Iterator[str]]
"""Yields how a network fails."""

CHECKS: Mapping[str, Check] = {
    "valid": facts.valid,
    "types and MACs": facts.types_and_macs,
    "weights": facts.weights,
    "pages": facts.pages,
    "as a part": parts.as_a_part,
    "PyTorch": targets.pytorch,
    "ONNX Runtime": targets.onnx_runtime,
    "optimized": targets.optimized,
    "Keras": targets.keras,
    "receptive fields": fields.fields,
    "other sizes": sizes.pytorch,
    "dynamic ONNX": sizes.dynamic_onnx,
}


@dataclass(frozen=True)
class Failure:
    """A check that a network does not pass, and how."""

    check: str
    message: str

    @property
    def kind(self) -> str:
        """The check and the words of the message: failures that have them in common are shrunk as one."""
        words = re.sub(r"'[^']*'|\{[^}]*\}|\([^)]*\)|[\d.:,+-]+", " ", self.message)
        return f"{self.check}: {' '.join(words.split()[:6])}"


@dataclass(frozen=True)
class Result:
    """The failures of a spec, the targets that refuse it, and how many layers it has."""

    failures: tuple[Failure, ...]
    refused: frozenset[str] = frozenset()
    layers: int = 0


def run(spec: dict[str, Any], seed: int = 0, checks: Collection[str] = tuple(CHECKS)) -> Result:
    """Run checks on a spec; where it is not valid, no others."""
    case = Case(spec, seed)
    invalid = tuple(_failures("valid", case))
    if invalid:
        return Result(invalid)
    failures = [failure for name in CHECKS if name in checks and name != "valid" for failure in _failures(name, case)]
    return Result(tuple(failures), frozenset(case.refused), len(case.graph.nodes))


def smallest(spec: dict[str, Any], seed: int, failure: Failure, tries: int = 600) -> tuple[dict[str, Any], Failure]:
    """The smallest spec found that fails alike, and its failure."""

    def alike(candidate: dict[str, Any]) -> list[Failure]:
        return [each for each in run(candidate, seed, [failure.check]).failures if each.kind == failure.kind]

    small = shrink(spec, lambda candidate: bool(alike(candidate)), tries)
    return small, (alike(small) or [failure])[0]


def _failures(name: str, case: Case) -> Iterator[Failure]:
    found = list(_messages(name, case))
    if found and not _again(name, case):
        return
    yield from (Failure(name, message) for message in found[:3])


def _again(name: str, case: Case) -> bool:
    """Whether it fails with other weights and inputs: values next to a jump, such as that of `threshold`, may round."""
    return bool(list(_messages(name, case.draws(case.seed + 1))))


def _messages(name: str, case: Case) -> Iterator[str]:
    try:
        yield from CHECKS[name](case)
    except Exception as error:  # whatever is raised is a failure
        place = traceback.extract_tb(error.__traceback__)[-1]
        yield f"raised {type(error).__name__} in {place.name}: {error}"
