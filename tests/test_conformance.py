"""ONNX's node tests, run on every op that has an equivalent operator: see `tools/conformance.py`."""

from __future__ import annotations

from collections import Counter

import pytest

from tools import conformance
from tools.conformance import Outcome, Result
from tools.onnx_nodes import READERS

PASSED = {
    "Abs": 1, "Add": 1, "Attention": 12, "AveragePool": 14, "BatchNormalization": 2, "Ceil": 2, "Clip": 7, "Concat": 12,
    "Conv": 6, "ConvTranspose": 11, "Cos": 2, "Div": 2, "Dropout": 4, "Elu": 3, "Erf": 1, "Exp": 2, "Flatten": 5,
    "Floor": 2, "Gather": 3, "Gelu": 4, "Gemm": 6, "GlobalAveragePool": 2, "GlobalMaxPool": 2, "GroupNormalization": 2,
    "Identity": 2, "InstanceNormalization": 2, "LRN": 2, "LayerNormalization": 19, "LeakyRelu": 3, "Log": 2,
    "LogSoftmax": 7, "LpNormalization": 3, "MatMul": 4, "Max": 4, "MaxPool": 17, "Mean": 3, "Min": 4, "Mul": 2,
    "Neg": 2, "Pad": 6, "Pow": 2, "Reciprocal": 2, "ReduceL2": 8, "ReduceMax": 8, "ReduceMean": 8, "ReduceMin": 8,
    "ReduceProd": 8, "ReduceSum": 8, "Reshape": 9, "Resize": 3, "Round": 1, "Sigmoid": 2, "Sin": 2, "Slice": 6,
    "Softmax": 7, "Softplus": 2, "Softsign": 2, "SpaceToDepth": 2, "Split": 14, "Sqrt": 2, "Squeeze": 2, "Sub": 2,
    "Sum": 3, "Tanh": 2, "ThresholdedRelu": 3, "Transpose": 7, "Unsqueeze": 7,
}  # fmt: skip
"""The number of tests per operator that pass with ONNX 1.23. It must not fall, so that no test is skipped unnoticed."""


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return list(conformance.results())


def test_applicable_node_tests_pass(results: list[Result]) -> None:
    assert [result for result in results if result.outcome is Outcome.FAILED] == []


def test_the_number_of_passed_tests_does_not_fall(results: list[Result]) -> None:
    passed = Counter(result.operator for result in results if result.outcome is Outcome.PASSED)
    assert {operator: passed[operator] for operator, least in PASSED.items() if passed[operator] < least} == {}


def test_every_skipped_test_has_a_reason_and_is_counted(results: list[Result]) -> None:
    assert all(result.reason for result in results if result.outcome is not Outcome.PASSED)
    lines = list(conformance.table(results))
    rows = {line.split()[0] for line in lines[1 : lines.index("")]}
    assert rows == {*READERS, "total"}
    counted = sum(int(line.split()[0]) for line in lines if line[:6].strip().isdecimal())
    assert counted == sum(result.outcome is Outcome.NOT_APPLICABLE for result in results)
