"""What runs a network in the place of PyTorch: every op says there what PyTorch's functions say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archspec.runtime.session import host
from tests import op_references, op_samples
from tests.lower.onnx.runtime import random_weights
from tests.op_samples import Sample


@pytest.mark.parametrize("sample", op_samples.GOOD, ids=lambda sample: sample.id)
def test_every_op_runs(sample: Sample) -> None:
    graph = sample.graph
    weights = random_weights(graph)
    found = host(graph, weights)
    assert found is not None
    arrays = sample.arrays(2)
    made = found.open(weights, threads=1)({f"x{i}": array for i, array in enumerate(arrays)})
    (node,) = graph.nodes
    parameters = {weight.name: torch.from_numpy(weights[node.weight_key(weight)]) for weight in node.weights}
    expected = op_references.results(sample.op, [torch.from_numpy(array) for array in arrays], parameters)
    for result, tensor in zip(made, expected, strict=True):
        np.testing.assert_allclose(result, tensor.numpy(), rtol=1e-5, atol=1e-5)
