"""Networks in ONNX Runtime: every op computes what PyTorch's functions compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import archspec
from archspec.runtime.session import runtime_for
from tests import op_references, op_samples
from tests.lower.onnx.runtime import random_weights
from tests.op_samples import Sample


@pytest.mark.parametrize("sample", op_samples.GOOD, ids=lambda sample: sample.id)
def test_every_op_runs(sample: Sample) -> None:
    graph = sample.graph
    weights = random_weights(graph)
    runtime = runtime_for(graph, weights)
    assert runtime is not None
    inputs = sample.arrays(2)
    outputs = runtime.open(weights, threads=1)({f"x{i}": array for i, array in enumerate(inputs)})
    (node,) = graph.nodes
    parameters = {weight.name: torch.from_numpy(weights[node.weight_key(weight)]) for weight in node.weights}
    expected = op_references.results(sample.op, [torch.from_numpy(array) for array in inputs], parameters)
    for output, tensor in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, tensor.numpy(), rtol=1e-5, atol=1e-5)


def test_a_weight_with_the_name_of_an_output_is_the_module_s_own() -> None:
    """Its initializer has another name than its key in the state dict."""
    graph = archspec.parse(
        "archspec: 1\nname: net\ninput: [4, 3]\nlayers: [class_token: {name: token}]\noutputs: [token]\n"
    ).graph
    runtime = runtime_for(graph, random_weights(graph))
    assert runtime is not None
    weights, x = random_weights(graph, seed=1), np.zeros((2, 4, 3), np.float32)
    (output,) = runtime.open(weights, threads=1)({"input": x})
    np.testing.assert_array_equal(output[:, :1], np.broadcast_to(weights["token"], (2, 1, 3)))
