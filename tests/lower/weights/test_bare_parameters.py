"""Bare parameters: weights named after their layer, which belong to the module around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch

from archspec.lower.onnx import export
from archspec.lower.weights import given, initial, to_file
from tests.frontend.specs import net
from tests.lower.onnx.runtime import session

LAYERS = """
- sequential:
    name: block
    layers:
      - layer_scale: {name: scale, value: 0.5}
      - layer_scale: {name: again, share: scale, value: 0.5}
- flatten: {start: 2}
- permute: [2, 1]
- class_token: {name: class_token, init: {uniform: {low: -1, high: 1}}}
- sequential:
    name: encoder
    naming: index
    layers:
      - position_embedding: {trainable: false}
      - layer_scale: {axis: -1, weight: [1, 2, 3, 4]}
- parameter: {name: queries, sizes: [3, 4], weight: [[1, 2, 3, 4], [0, 0, 0, 0], [5, 6, 7, 8]], trainable: false}
"""

SHAPES = {
    "block.scale": (4, 1, 1),
    "class_token": (1, 1, 4),
    "encoder.0": (1, 65, 4),
    "encoder.1": (4,),
    "queries": (3, 4),
}


def test_bare_parameters_are_named_after_their_layers(tmp_path: Path) -> None:
    network = net(LAYERS)
    assert {key: weight.shape for key, weight in network.graph.weights()} == SHAPES
    module = network.to_torch()
    assert {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()} == SHAPES
    to_file(initial(network.graph), tmp_path / "weights.safetensors")
    assert {key: array.shape for key, array in given(network.graph, tmp_path / "weights.safetensors").items()} == SHAPES
    model = export(network.graph, initial(network.graph)).to_proto()
    assert {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer if tensor.name in SHAPES} == SHAPES


def test_bare_parameters_are_initialized_as_in_the_spec() -> None:
    network = net(LAYERS)
    for weights in (
        initial(network.graph),
        {k: t.numpy(force=True) for k, t in network.to_torch().state_dict().items()},
    ):
        assert (weights["block.scale"] == 0.5).all()
        assert -1 <= weights["class_token"].min() < weights["class_token"].max() <= 1
        assert np.isclose(weights["encoder.0"].std(), 0.02, rtol=0.3)
        assert weights["encoder.1"].tolist() == [1, 2, 3, 4]
    frozen = {name for name, parameter in network.to_torch().named_parameters() if not parameter.requires_grad}
    assert frozen == {"encoder.0", "encoder.1", "queries"}


def test_the_module_and_onnx_agree() -> None:
    network = net(LAYERS)
    module = network.to_torch().eval()
    model = export(network.graph, {key: tensor.numpy() for key, tensor in module.state_dict().items()}).to_proto()
    onnx.checker.check_model(model, full_check=True)
    x = torch.randn(3, 4, 8, 8)
    (made,) = session(model).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(made, module(x).numpy(force=True), rtol=1e-5, atol=1e-6)


def test_bare_parameters_of_a_class_have_the_sizes_of_its_instances() -> None:
    network = net(
        """
        - stage: {width: 4}
        - stage: {width: 6}
        """,
        head="""
        blocks:
          stage:
            args: [width]
            layers: [conv: {channels: width, kernel: 1}, layer_scale: {name: scale}]
        """,
    )
    assert network.source().count("nn.Parameter(torch.full((width, 1, 1), 1e-06))") == 1
    shapes = {key: tuple(tensor.shape) for key, tensor in network.to_torch().state_dict().items() if "scale" in key}
    assert shapes == {"stage.scale": (4, 1, 1), "stage_1.scale": (6, 1, 1)}
