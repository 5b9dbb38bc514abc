"""Comparing what a written file computes with what PyTorch does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.diagnostics import ArchspecError, fail
from archspec.ir.graph import Graph
from archspec.ir.types import DType
from archspec.lower.optimize.dead_code import drop_training_only
from archspec.lower.text.header import About

NamedArrays = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-4
"""The largest accepted difference, relative to the largest element of the output. A different order of additions in
float32 causes such differences in networks of a hundred layers.
"""

_BATCH = 2


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """The largest difference of an output from the expected one.

    Attributes:
        output: the name of the output.
        absolute: the largest difference of two elements.
        relative: `absolute` divided by the largest expected element.
    """

    output: str
    absolute: float
    relative: float

    def __str__(self) -> str:
        return f"{self.output}: off by at most {self.absolute:.2g}, or {self.relative:.2g} of the largest element"


def random_inputs(graph: Graph, seed: int = 0) -> NamedArrays:
    """Two samples of random inputs: normally distributed floats, and 0 or 1 for integers, which any table contains."""
    random = np.random.default_rng(seed)
    return {
        value.name: (
            random.integers(0, 2, (_BATCH, *value.type.sizes))
            if value.type.dtype is DType.INT64
            else random.standard_normal((_BATCH, *value.type.sizes), np.float32)
        )
        for value in graph.inputs
    }


@dataclass(frozen=True, slots=True)
class Runnable:
    """A written file that was loaded.

    Attributes:
        runtime: the name of what runs it.
        run: computes its outputs by name, from its inputs by name.
    """

    runtime: str
    run: Callable[[NamedArrays], NamedArrays]

    def outputs(self, inputs: NamedArrays) -> NamedArrays:
        """Its outputs.

        Raises:
            ArchspecError: it cannot be run.
        """
        try:
            return self.run(inputs)
        except Exception as error:  # of ONNX Runtime, or of the operators of a program: without a common base class
            shapes = " and ".join("x".join(map(str, array.shape[1:])) for array in inputs.values())
            raise rejected(self.runtime, "run", error, f" at {shapes}") from error


def rejected(runtime: str, verb: str, error: Exception, where: str = "") -> ArchspecError:
    """The error for a file that cannot be loaded or run."""
    message = f"{runtime} cannot {verb} the file{where}"
    return fail("unsupported", message, notes=[(f"{runtime}:", str(error))], help="write it without --verify to look")


def verified(
    file: Runnable, graph: Graph, weights: Mapping[str, Any] | None, others: Sequence[Graph]
) -> tuple[OutputDifference, ...]:
    """The differences of a file's outputs from those of the network's modules, the largest of all sizes.

    Args:
        file: the file.
        graph: the network.
        weights: its weights.
        others: the network at other sizes, of which the first and the last two are compared.

    Raises:
        ArchspecError: the outputs differ, or the file cannot be run.
    """
    compared = [graph, *others[:1], *others[-2:]]
    result = differences(file, [(random_inputs(each), partial(_expected, each, weights or {})) for each in compared])
    if error := difference_error(result, graph.name, file.runtime):
        raise error
    return result


class Verification:
    """Inspects a written file before it is kept, and then has the differences of its outputs.

    Args:
        load: loads the file.
        graph: the network.
        weights: its weights.
        others: the network at other sizes.
    """

    def __init__(
        self,
        load: Callable[[Path], Runnable],
        graph: Graph,
        weights: Mapping[str, Any] | None,
        others: Sequence[Graph],
    ) -> None:
        self.load, self.compared = load, (graph, weights, others)
        self.differences: tuple[OutputDifference, ...] = ()

    def __call__(self, draft: Path) -> None:
        """Compare.

        Raises:
            ArchspecError: the outputs differ, or the file cannot be run.
        """
        self.differences = verified(self.load(draft), *self.compared)


def _expected(graph: Graph, weights: Mapping[str, Any], inputs: NamedArrays) -> NamedArrays:
    """The outputs of a graph's module."""
    from archspec.lower.torch.inference import outputs
    from archspec.lower.torch.instantiate import build_with
    from archspec.lower.torch.source import source

    graph, own = drop_training_only(graph, weights)
    return outputs(build_with(source(graph, About()), graph, own).eval(), graph, inputs)


def differences(
    file: Runnable, samples: Iterable[tuple[NamedArrays, Callable[[NamedArrays], NamedArrays]]]
) -> tuple[OutputDifference, ...]:
    """The differences of a file's outputs from the expected ones, the largest of all samples.

    Args:
        file: the file.
        samples: inputs by name, with the function that computes the expected outputs by name. Outputs that the file
            does not have are ignored.

    Raises:
        ArchspecError: the file cannot be run.
    """
    by_sample: list[list[OutputDifference]] = []
    for inputs, reference in samples:
        expected = reference(inputs)
        by_sample.append([_difference(name, array, expected[name]) for name, array in file.outputs(inputs).items()])
    return tuple(max(by_output, key=_relative) for by_output in zip(*by_sample, strict=True))


def difference_error(differences: Sequence[OutputDifference], name: str, runtime: str) -> ArchspecError | None:
    """The error for outputs that differ by more than `TOLERANCE`; None if there are none."""
    wrong = [difference for difference in differences if not difference.relative <= TOLERANCE]
    if not wrong:
        return None
    message = f"{runtime} and PyTorch compute different outputs for '{name}'"
    notes = [(str(difference),) for difference in wrong]
    return fail("wrong-numbers", message, notes=notes, help=f"a relative difference of {TOLERANCE:g} is accepted")


def _difference(name: str, array: NDArray[Any], expected: NDArray[Any]) -> OutputDifference:
    if array.shape != expected.shape or not np.isfinite(array).all():
        return OutputDifference(name, float("inf"), float("inf"))
    absolute = float(np.abs(array - expected).max(initial=0))
    largest = float(np.abs(expected).max(initial=0))
    return OutputDifference(name, absolute, absolute / largest if largest else absolute)


def _relative(difference: OutputDifference) -> float:
    return difference.relative
