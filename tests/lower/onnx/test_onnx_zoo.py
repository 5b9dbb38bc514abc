"""Every network of the zoo in ONNX: the shapes of all values, and the numbers of the PyTorch module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from archspec import zoo
from archspec.loading import load
from archspec.lower import weights
from archspec.lower.onnx import export
from tests.lower.onnx.runtime import inferred_shapes, random_inputs, session, shapes

ZOO = [name for name, _ in zoo.names()]

COMPUTED = [name for name in ZOO if not name.startswith("vgg") or name in ("vgg11_lrn", "vgg_c", "vgg16_bn")]
"""Of the VGGs, half a gigabyte of weights each, one of every kind."""

SMALLER = {"alexnet": 67, "vgg": 32, "resnet": 64, "plain": 64, "preact": 64, "unet_padded": 32, "unet": 188}
"""Sides of smaller inputs that these networks take too: the same graphs, with less to compute."""


@pytest.mark.parametrize("name", ZOO)
def test_onnx_infers_the_shape_of_every_value(name: str) -> None:
    graph = load(name).graph
    empty = {key: np.zeros((), weight.dtype.value) for key, weight in graph.weights()}
    model = export(graph, {key: np.broadcast_to(empty[key], weight.shape) for key, weight in graph.weights()})
    for tensor in model.graph.initializer:
        if tensor.name in empty:
            tensor.ClearField("raw_data")  # shapes do not depend on it, and inference copies the model
    assert inferred_shapes(model) == shapes([*model.graph.value_info, *model.graph.output])
    assert shapes(model.graph.output) == {
        output.name: ["N", *output.value.type.sizes] for output in graph.outputs if not output.training_only
    }


@pytest.mark.parametrize("name", COMPUTED)
def test_onnx_runtime_gives_the_modules_numbers(name: str) -> None:
    """Within 1e-4 of the largest, with statistics of normalization that are not those of a new module."""
    side = next((side for prefix, side in SMALLER.items() if name.startswith(prefix) and "cifar" not in name), None)
    (sizes,) = load(name).inputs.values()
    net = load(name, input=(sizes[0], side, side)) if side else load(name)
    torch.manual_seed(0)
    module = net.to_torch().eval()
    for key, buffer in module.named_buffers():
        if key.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif key.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    inputs = random_inputs(net.graph, batch=2)
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs["input"])).numpy()
    (result,) = session(export(net.graph, weights.from_module(net.graph, module))).run(None, dict(inputs))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
