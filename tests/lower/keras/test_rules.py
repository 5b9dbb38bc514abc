"""Every op that Keras can express, run in Keras on PyTorch and compared with PyTorch's functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from archspec.diagnostics import ArchspecError
from archspec.lower.keras.instantiate import build
from archspec.lower.keras.partition import names_of_functions, plan
from archspec.lower.keras.rules import RULES
from archspec.lower.keras.source import source
from archspec.lower.text.header import About
from archspec.ops import OPS
from archspec.ops.spatial import AlignCrop
from tests.lower.onnx.runtime import random_weights
from tests.op_references import results
from tests.op_samples import GOOD, Sample

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras' own, of PyTorch
    pytest.mark.filterwarnings("ignore:.*softmax over axis:UserWarning"),  # of one position, which attends to itself
]


def expressed() -> Iterator[Sample]:
    """The samples that Keras can express; for the others, `plan` raises a diagnostic."""
    for sample in GOOD:
        try:
            plan(sample.graph)
        except ArchspecError as error:
            (diagnostic,) = error.diagnostics
            assert diagnostic.code == "unsupported"
            assert f"'{sample.op.kind}'" in diagnostic.message or "'layer'" in diagnostic.message
        else:
            yield sample


SAMPLES = [*expressed()]


def test_every_op_has_a_rule_and_most_samples_can_be_expressed() -> None:
    assert set(RULES) - {AlignCrop} == set(OPS) == {type(sample.op) for sample in SAMPLES}
    assert len(SAMPLES) > 0.8 * len(GOOD)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_model_is_the_op(sample: Sample) -> None:
    graph = sample.graph
    weights = random_weights(graph)
    inputs = sample.arrays(3)
    (node,) = graph.nodes
    state = {weight.name: torch.from_numpy(weights[node.weight_key(weight)]) for weight in node.weights}
    expected = results(sample.op, [torch.from_numpy(array) for array in inputs], state)
    model = build(source(graph, About()), graph, weights)
    generated = {each.name for each in model.operations if not isinstance(each, keras.layers.Layer)}
    functions = names_of_functions(call for step in plan(graph).root.steps for call in step.calls)
    assert all(map(functions.fullmatch, generated)), "the layers of a network may have these names, too"
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    for got, wanted, type in zip(map(keras.ops.convert_to_numpy, outputs), expected, sample.outputs, strict=True):
        assert got.shape == (3, *type.sizes)
        scale = max(1.0, float(wanted.abs().amax())) if wanted.numel() else 1.0
        np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-5, atol=1e-5 * scale)
