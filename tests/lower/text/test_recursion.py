"""Blocks that are called often, by themselves and by each other: the source computes the same, in few steps."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import pytest

from tests.random_networks.case import Case
from tests.random_networks.checks import run

CALL = {"depth": "depth - 1", "when": "depth > 0"}

BLOCKS: dict[str, dict[str, list[Any]]] = {
    "itself": {"b": ["relu", {"b": CALL}]},
    "itself, weights": {"b": [{"linear": "3 + depth"}, {"b": CALL}, "sigmoid"]},
    "itself, in a path": {"b": [{"residual": {"layers": ["tanh", {"b": CALL}]}}]},
    "each other": {"b": ["relu", {"c": CALL}], "c": [{"linear": "3 + depth"}, {"b": CALL}]},
    "each other, weights": {"b": [{"linear": "2 + depth"}, {"c": CALL}], "c": ["relu", {"linear": 4}, {"b": CALL}]},
}


def spec(blocks: dict[str, list[Any]], depth: int) -> dict[str, Any]:
    return {
        "archspec": 1,
        "name": "recursive",
        "input": [3, 4, 4],
        "blocks": {name: {"args": ["depth"], "layers": layers} for name, layers in blocks.items()},
        "layers": [{"b": {"depth": depth}}],
    }


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, of PyTorch
@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_every_target_computes_the_same(blocks: dict[str, list[Any]], depth: int) -> None:
    checks = ("types and MACs", "weights", "PyTorch", "ONNX Runtime", *(["Keras"] if find_spec("keras") else []))
    assert run(spec(blocks, depth), checks=checks).failures == ()


@pytest.mark.parametrize("target", ["torch", "keras"])
@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_steps_follow_the_length_of_the_source(blocks: dict[str, list[Any]], target: str) -> None:
    """Four times the depth: indentation makes the text up to 16 times as long, and 64 times the steps is too many."""
    steps(spec(blocks, 4), target)  # imports
    assert steps(spec(blocks, 36), target) < 32 * steps(spec(blocks, 9), target)


@pytest.mark.parametrize("target", ["torch", "keras"])
def test_steps_follow_the_number_of_calls(target: str) -> None:
    def called(times: int) -> dict[str, Any]:
        call = {"b": {"name": "b$i", "depth": "i % 7"}}
        repeat = {"repeat": {"times": times, "index": "i", "layers": [call]}}
        return spec({"b": ["relu", {"linear": "3 + depth"}]}, 0) | {"layers": [repeat]}

    steps(called(4), target)  # imports
    assert steps(called(400), target) < 6 * steps(called(100), target)


def steps(spec: dict[str, Any], target: str) -> int:
    """The calls of functions while the source is written."""
    network, count = Case(spec).network, 0

    def called(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        network.source(target)
    finally:
        sys.setprofile(before)
    return count
