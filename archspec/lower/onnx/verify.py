"""Comparing the outputs of an ONNX file in ONNX Runtime with those of a reference."""

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


def verified(
    path: Path, name: str, reference: Callable[[Graph, NamedArrays], NamedArrays], graphs: Iterable[Graph]
) -> tuple[OutputDifference, ...]:
    """The differences of a model's outputs from those of `reference`, the largest of all graphs.

    Args:
        path: the model.
        name: the network's name.
        reference: computes the expected outputs of a graph by name, from its inputs by name.
        graphs: the network, at each size to compare it at.

    Raises:
        ArchspecError: the outputs differ, or ONNX Runtime cannot run the model.
    """
    result = differences(path, [(random_inputs(graph), partial(reference, graph)) for graph in graphs])
    if error := difference_error(result, name):
        raise error
    return result


def differences(
    path: Path, samples: Iterable[tuple[NamedArrays, Callable[[NamedArrays], NamedArrays]]]
) -> tuple[OutputDifference, ...]:
    """The differences of a model's outputs from the expected ones, the largest of all samples.

    Args:
        path: the model.
        samples: inputs by name, with the function that computes the expected outputs by name. Outputs that the model
            does not have are ignored.

    Raises:
        ArchspecError: ONNX Runtime cannot load the model, or cannot run it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the exceptions of ONNX Runtime have no common base class
        raise _failed("load", error) from error
    names = [output.name for output in session.get_outputs()]
    by_sample: list[list[OutputDifference]] = []
    for inputs, reference in samples:
        expected = reference(inputs)
        try:
            outputs = session.run(names, dict(inputs))
        except Exception as error:  # of ONNX Runtime, without a common base class
            shapes = " and ".join("x".join(map(str, array.shape[1:])) for array in inputs.values())
            raise _failed("run", error, f" at {shapes}") from error
        by_sample.append([_difference(name, array, expected[name]) for name, array in zip(names, outputs, strict=True)])
    return tuple(max(by_output, key=_relative) for by_output in zip(*by_sample, strict=True))


def _failed(verb: str, error: Exception, where: str = "") -> ArchspecError:
    """The error for a model that ONNX Runtime rejects."""
    message = f"ONNX Runtime cannot {verb} the file{where}"
    return fail("unsupported", message, notes=[("ONNX Runtime:", str(error))], help="write it without --verify to look")


def difference_error(differences: Sequence[OutputDifference], name: str) -> ArchspecError | None:
    """The error for outputs that differ by more than `TOLERANCE`; None if there are none."""
    wrong = [difference for difference in differences if not difference.relative <= TOLERANCE]
    if not wrong:
        return None
    message = f"ONNX Runtime and PyTorch compute different outputs for '{name}'"
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
