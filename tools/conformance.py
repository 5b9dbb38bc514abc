#!/usr/bin/env python3
"""Run ONNX's node tests on our ops: `./tools/conformance.py` counts passed, not applicable and failed per operator.

Each test is translated to a spec with one layer. Its PyTorch module, and its ONNX model in ONNX Runtime, must both
return the outputs that the test expects.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402

import archspec  # noqa: E402
from archspec.lower.onnx import export  # noqa: E402
from archspec.ops import OPS  # noqa: E402
from tools.onnx_nodes import READERS, Array, Example, Layer, NotApplicable, example, read  # noqa: E402

RTOL, ATOL = 1e-3, 1e-6
"""Tolerances. The tests allow 1e-3, since some of their expected numbers have only four digits."""


NO_OP = "no such op in archspec"
"""The reason of tests whose operator has no reader."""


class Outcome(StrEnum):
    """The outcome of a test."""

    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """The result of a node test: its operator, the op of its layer if any, and the reason if it did not pass."""

    test: str
    operator: str
    outcome: Outcome
    kind: str = ""
    reason: str = ""


def results() -> Iterator[Result]:
    """The outcome of every node test."""
    for name, found in examples():
        yield run_test(name, found)


def examples() -> Iterator[tuple[str, Example]]:
    """ONNX's node tests by name, without those whose operator is expanded to a function."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some divide by zero on purpose
        cases = collect_testcases(None)
    for case in cases:
        for inputs, outputs in case.data_sets:
            if (found := example(case.model, inputs, outputs)) is not None:
                yield case.name, found


def run_test(name: str, example: Example) -> Result:
    """The result of one test."""
    if example.operator not in READERS:
        return Result(name, example.operator, Outcome.NOT_APPLICABLE, reason=NO_OP)
    try:
        layer = read(example)
        network = archspec.parse(spec(layer))
    except NotApplicable as reason:
        return Result(name, example.operator, Outcome.NOT_APPLICABLE, reason=str(reason))
    except archspec.ArchspecError as error:
        codes = ", ".join(sorted({found.code for found in error.diagnostics}))
        return Result(
            name, example.operator, Outcome.NOT_APPLICABLE, layer.kind, f"rejected by '{layer.kind}': {codes}"
        )
    wrong = "; ".join(_differences(network, layer))
    return Result(name, example.operator, Outcome.FAILED if wrong else Outcome.PASSED, layer.kind, wrong)


def spec(layer: Layer) -> str:
    """The spec of one layer; JSON is YAML."""
    names = [f"x{i}" for i in range(len(layer.inputs))]
    inputs = {
        name: {"shape": list(array.shape[1:]), "dtype": str(array.dtype)}
        for name, array in zip(names, layer.inputs, strict=True)
    }
    written = {"name": "layer", "from": names if len(names) > 1 else names[0], **layer.attributes}
    outputs = {f"y{i}": name for i, name in enumerate(layer.outputs)}
    head = {"archspec": 1, "name": "node_test", "inputs": inputs}
    return json.dumps({**head, "layers": [{layer.kind: written}], "outputs": outputs})


def _differences(network: archspec.Network, layer: Layer) -> Iterator[str]:
    weights = {f"layer.{name}": np.array(array, order="C") for name, array in layer.weights.items()}
    results = {"PyTorch": _in_torch(network, layer, weights), "ONNX": _in_onnx(network, layer, weights)}
    for target, arrays in results.items():
        for result, wanted in zip(arrays, layer.outputs.values(), strict=True):
            if result.shape != wanted.shape:
                yield f"{target}: shape {result.shape} instead of {wanted.shape}"
            elif not np.allclose(result, wanted, rtol=RTOL, atol=ATOL, equal_nan=True):
                yield f"{target}: off by {np.abs(result - wanted).max():.2g}"


def _in_torch(network: archspec.Network, layer: Layer, weights: Mapping[str, Array]) -> list[Array]:
    module = network.to_torch({key: torch.from_numpy(array.copy()) for key, array in weights.items()}).eval()
    with torch.no_grad():
        result = module(*(torch.from_numpy(array.copy()) for array in layer.inputs))
    results = [result] if isinstance(result, torch.Tensor) else list(result)
    return [tensor.numpy() for tensor in results]


def _in_onnx(network: archspec.Network, layer: Layer, weights: Mapping[str, Array]) -> list[Array]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    model = export(network.graph, weights).to_proto().SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    fed = {f"x{i}": np.array(array, order="C") for i, array in enumerate(layer.inputs)}
    results: list[Array] = session.run(None, fed)
    return results


# --- the table ------------------------------------------------------------------------------------------------------


def table(found: Iterable[Result]) -> Iterator[str]:
    """The outcomes by operator, the reasons of tests that are not applicable, and the ops without a passing test."""
    everything = list(found)
    found = [result for result in everything if result.reason != NO_OP]
    foreign = Counter(result.operator for result in everything if result.reason == NO_OP)
    by_operator: dict[str, list[Result]] = defaultdict(list)
    for result in found:
        by_operator[result.operator].append(result)
    yield _row("operator", "op", *Outcome)
    for operator in sorted(by_operator):
        kinds = ", ".join(sorted({result.kind for result in by_operator[operator]} - {""}))
        yield _row(operator, kinds, *_counts(by_operator[operator]))
    yield _row("total", "", *_counts(found))
    yield ""
    yield "not applicable"
    reasons = Counter((r.reason, r.operator) for r in found if r.outcome is Outcome.NOT_APPLICABLE)
    for (reason, operator), count in sorted(reasons.items()):
        yield f"{count:6}  {operator:<24}{reason}"
    yield f"{foreign.total():6}  {f'{len(foreign)} operators':<20}{NO_OP}"
    without = [op.kind for op in OPS if op.kind not in {r.kind for r in found if r.outcome is Outcome.PASSED}]
    yield ""
    yield "ops without a passing node test: " + ", ".join(without)
    for result in found:
        if result.outcome is Outcome.FAILED:
            yield f"FAILED {result.test}: {result.reason}"


def _counts(found: Iterable[Result]) -> list[int]:
    counts = Counter(result.outcome for result in found)
    return [counts[outcome] for outcome in Outcome]


def _row(operator: str, kinds: str, *counts: Any) -> str:
    return f"{operator:<24}{kinds:<22}" + "".join(f"{count:>16}" for count in counts)


def main() -> int:
    """Print the table; 1 if a test failed."""
    found = list(results())
    print("\n".join(table(found)))
    return int(any(result.outcome is Outcome.FAILED for result in found))


if __name__ == "__main__":
    sys.exit(main())
