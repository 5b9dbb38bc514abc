"""What ONNX Runtime makes of a file, held against what another says the network computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Graph
from archspec.ir.types import DType

Arrays = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-4
"""The largest difference that is let pass, as a share of the largest number of the output: what another order of
additions makes in float32, in networks of a hundred layers.
"""

_BATCH = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an output is off, at most.

    Attributes:
        output: its name.
        absolute: the largest difference of two numbers.
        relative: that as a share of the largest number expected.
    """

    output: str
    absolute: float
    relative: float

    def __str__(self) -> str:
        return f"{self.output}: at most {self.absolute:.2g} off, {self.relative:.2g} of the largest"


def random_inputs(graph: Graph, seed: int = 0) -> Arrays:
    """Two samples for a network: normal numbers, and for inputs of whole numbers 0 and 1, which any table has."""
    random = np.random.default_rng(seed)
    return {
        value.name: (
            random.integers(0, 2, (_BATCH, *value.type.sizes))
            if value.type.dtype is DType.INT64
            else random.standard_normal((_BATCH, *value.type.sizes), np.float32)
        )
        for value in graph.inputs
    }


def differences(
    path: Path, samples: Iterable[Arrays], reference: Callable[[Arrays], Mapping[str, NDArray[Any]]]
) -> tuple[Difference, ...]:
    """How far the outputs of a model are off those of `reference`, at most over all samples.

    Args:
        path: the model.
        samples: inputs by name.
        reference: what is right: outputs by name. Outputs the model lacks do not count.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found: list[list[Difference]] = []
    for inputs in samples:
        expected = reference(inputs)
        got = session.run(names, dict(inputs))
        found.append([_difference(name, own, expected[name]) for name, own in zip(names, got, strict=True)])
    return tuple(max(each, key=_badness) for each in zip(*found, strict=True))


def refuse(differences: Sequence[Difference], name: str) -> ArchspecError | None:
    """The error of outputs that are too far off; None if there are none."""
    wrong = [each for each in differences if not each.relative <= TOLERANCE]
    if not wrong:
        return None
    message = f"ONNX Runtime does not compute what PyTorch does with '{name}'"
    return fail("wrong-numbers", message, notes=[(str(each),) for each in wrong], help=f"{TOLERANCE:g} would pass")


def _difference(name: str, got: NDArray[Any], expected: NDArray[Any]) -> Difference:
    if got.shape != expected.shape or not np.isfinite(got).all():
        return Difference(name, float("inf"), float("inf"))
    absolute = float(np.abs(got - expected).max(initial=0))
    largest = float(np.abs(expected).max(initial=0))
    return Difference(name, absolute, absolute / largest if largest else absolute)


def _badness(difference: Difference) -> float:
    return difference.relative
