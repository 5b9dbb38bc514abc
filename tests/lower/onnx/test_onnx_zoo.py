"""The networks of the zoo in ONNX: the shapes of all values, and the outputs of the PyTorch module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archspec.loading import load
from archspec.lower import weights
from archspec.lower.onnx import export
from tests.lower.onnx.runtime import inferred_shapes, random_inputs, session, shapes
from tests.zoo.small import DISTINCT, ZOO, small


@pytest.mark.parametrize("name", ZOO)
def test_onnx_infers_the_shape_of_every_value(name: str) -> None:
    graph = load(name).graph
    model = export(graph, None).to_proto()  # shapes do not depend on the numbers of weights
    assert inferred_shapes(model) == shapes([*model.graph.value_info, *model.graph.output])
    assert shapes(model.graph.output) == {
        output.name: ["N", *output.value.type.sizes] for output in graph.inference_outputs
    }


@pytest.mark.parametrize("name", DISTINCT)
def test_outputs_are_those_of_the_module(name: str) -> None:
    """Within 1e-4 of the largest element, with normalization statistics other than the initial ones."""
    net = small(name)
    torch.manual_seed(0)
    module = net.to_torch().eval()
    for key, buffer in module.named_buffers():
        if key.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif key.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    inputs = random_inputs(net.graph, batch=2)
    with torch.no_grad():
        returned = module(*(torch.from_numpy(value) for value in inputs.values()))
    results = session(export(net.graph, weights.from_module(net.graph, module)).to_proto()).run(None, dict(inputs))
    for result, tensor in zip(results, returned if isinstance(returned, tuple) else (returned,), strict=True):
        expected = tensor.numpy()
        assert np.ptp(expected) > 0
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
