"""Networks in Keras on PyTorch compute the same as the PyTorch modules with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import archspec
from tests.lower.torch.test_weight_sharing import HEAD as SHARING
from tests.lower.torch.test_weight_sharing import SHARED
from tests.zoo.small import small

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, of PyTorch

NAMES = (
    "lenet5", "lenet5_1998", "alexnet", "alexnet_grouped", "vgg11_bn", "resnet18", "unet_padded", "mobilenet_v2",
    "capsnet", "vit_b_16",
)  # fmt: skip

BLOCK = """
archspec: 1
name: a.block
input: [3, 12, 12]
blocks:
  conv_bn: {args: {width: ~}, layers: [{conv: {channels: width, kernel: 3, padding: 1, bias: false}}, batch_norm, relu]}
layers:
  - conv_bn: {name: one, width: 4}
  - conv: {name: down, channels: 6, kernel: 3, stride: 2, padding: 1}
  - conv_bn: {name: two, width: 8}
  - max_pool: {kernel: 3, stride: 2, padding: 1}
"""


def outputs(model: keras.Model, *inputs: np.ndarray) -> list[np.ndarray]:
    results = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    results = results if isinstance(results, list | tuple) else [results]
    return [keras.ops.convert_to_numpy(result) for result in results]


def varied_weights(net: archspec.Network) -> dict[str, np.ndarray]:
    """Initial weights, with which values neither vanish nor explode, but without biases of 0 and variances of 1."""
    random = np.random.default_rng(1)
    first = net.weights(seed=1)
    return {
        key: value + random.uniform(0.1, 0.3, value.shape).astype(value.dtype) if value.ndim == 1 else value
        for key, value in first.items()
    }


@pytest.mark.parametrize("layers", ["[avg_pool: {kernel: in.spatial}]", "[relu]"])
def test_a_model_refuses_other_sizes_than_its_own(layers: str) -> None:
    model = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: {layers}").to_keras()
    assert model(np.zeros((2, 3, 8, 8), np.float32)).shape[0] == 2
    for call in (model, model.predict):
        with pytest.raises(ValueError, match="expected shape=\\(None, 3, 8, 8\\)"):
            call(np.zeros((2, 3, 16, 16), np.float32))


def compared(net: archspec.Network) -> keras.Model:
    """The Keras model; assert that it computes the same as the module."""
    weights = varied_weights(net)
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(2, *sizes)).astype(np.float32) for sizes in net.inputs.values()]
    model = net.to_keras(weights)
    with torch.no_grad():
        wanted = net.to_torch(weights).eval()(*map(torch.from_numpy, inputs))
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    for got, expected in zip(outputs(model, *inputs), wanted, strict=True):
        scale = max(1.0, float(expected.abs().max()))
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-4, atol=1e-4 * scale)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_models_and_modules_compute_the_same(name: str) -> None:
    net = small(name)
    model = compared(net)
    assert model.count_params() == net.params + net.buffers - sum(
        weight.elements for key, weight in net.graph.weights() if key.endswith("num_batches_tracked")
    )


def test_a_model_can_be_saved_and_loaded(tmp_path: Path) -> None:
    model = archspec.parse(BLOCK).to_keras(seed=3)
    x = np.ones((1, *model.input_shape[1:]), np.float32)
    model.save(tmp_path / "model.keras")
    (got,), (wanted,) = outputs(keras.models.load_model(tmp_path / "model.keras"), x), outputs(model, x)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_helper_layers_can_be_saved_and_loaded(tmp_path: Path) -> None:
    layers = """layers:
  - conv: {channels: 6, kernel: 3}
  - affine: {init: {weight: {normal: {mean: 1}}, bias: 0.5}}
  - local_response_norm: {size: 3, alpha: 0.5, beta: 0.6, k: 2}
  - layer_scale: {value: 0.5, axis: 2}
  - reshape: [4, 24]
  - class_token
  - position_embedding
  - multi_head_attention: 3
  - squash
  - capsule_votes: {capsules: 2, features: 3}
  - flatten
  - radial_basis: 3
"""
    net = archspec.parse(HEAD + layers)
    model = compared(net)
    x = np.random.default_rng(2).normal(size=(2, 3, 6, 6)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    (got,), (wanted,) = outputs(keras.models.load_model(tmp_path / "model.keras"), x), outputs(model, x)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


INDICES = """
archspec: 1
name: indices
inputs: {image: [3, 13, 12], boxes: [4, 4]}
layers:
  - conv: {name: wide, channels: 4, kernel: 3, padding: 1, from: image}
  - max_pool: {name: pool, kernel: 3, stride: 2, padding: 1, indices: true}
  - conv: {channels: 4, kernel: 3, padding: 1}
  - max_unpool: {name: back, kernel: 3, stride: 2, padding: 1, from: [prev, pool.indices, wide]}
  - roi_align: {name: aligned, from: [back, boxes], size: [2, 3], scale: 0.5}
  - roi_pool: {name: pooled, from: [wide, boxes], size: 2}
outputs: [back, aligned, pooled]
"""


def test_indices_and_boxes_are_values(tmp_path: Path) -> None:
    model = compared(archspec.parse(INDICES))
    x = np.random.default_rng(2).normal(size=(2, 3, 13, 12)).astype(np.float32)
    boxes = np.array([[[0, 1, 9, 7], [2, 2, 3, 30], [5, 4, 1, 2], [-3, -3, 20, 20]]] * 2, np.float32)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for got, wanted in zip(outputs(again, x, boxes), outputs(model, x, boxes), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_initial_weights_and_names_are_those_of_the_spec() -> None:
    net = archspec.parse(BLOCK)
    model, first = net.to_keras(seed=5), net.weights(seed=5)
    (kernel,) = model.get_layer("one_conv").get_weights()
    np.testing.assert_array_equal(kernel, first["one.conv.weight"].transpose(2, 3, 1, 0))


HEAD = "archspec: 1\nname: a\ninput: [3, 6, 6]\n"


def test_shared_weights_are_one_layer() -> None:
    spec = """layers:
  - conv: {name: one, channels: 3, kernel: 3, padding: 1}
  - relu
  - conv: {share: one, channels: 3, kernel: 3, padding: 1}
"""
    net = archspec.parse(HEAD + spec)
    model = compared(net)
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]) == 1


@pytest.mark.parametrize("name", ["pad_2", "add_3", "get_item", "name", "layers", "0", "class"])
def test_names_that_keras_generates_are_avoided(name: str) -> None:
    """Keras names operations without a name, and rejects two layers of the same name."""
    compared(
        archspec.parse(
            HEAD
            + f"""layers:
  - pad: 1
  - conv: {{name: {name}, channels: 4, kernel: 3}}
  - max_pool: {{kernel: 3, stride: 2, padding: 1}}
  - center_crop: 2
  - scale: 0.5
"""
        )
    )


def test_names_that_underscores_make_equal_stay_distinct() -> None:
    compared(
        archspec.parse(
            HEAD
            + """
blocks:
  two: {layers: [{conv: {name: b_c, channels: 4, kernel: 1}}, relu]}
layers:
  - two: {name: a}
  - two: {name: a_b}
  - conv: {name: a_b_c, channels: 4, kernel: 1}
"""
        )
    )


SIZED = {
    "own weights": """
  - conv: {name: c, channels: 4, kernel: 3, padding: 1}
  - conv: {from: input, channels: 3, kernel: 1}
  - upsample_like: [prev, c]
""",
    "shared weights": """
  - conv: {name: c, channels: 3, kernel: 3}
  - conv: {from: input, share: c, channels: 3, kernel: 3}
  - crop_like: [prev, c]
  - conv: {share: c, channels: 3, kernel: 3}
""",
    "shared in training": """
  - side: {training_only: true, layers: [conv: {name: c, channels: 3, kernel: 3}]}
  - conv: {share: c, channels: 3, kernel: 3}
  - conv: {share: c, channels: 3, kernel: 3}
""",
}
"""Layers `c` of which only the size is read at inference."""


@pytest.mark.parametrize("layers", SIZED.values(), ids=SIZED)
def test_a_layer_that_is_not_needed_is_left_out(layers: str) -> None:
    compared(archspec.parse(f"{HEAD}layers:{layers}"))


def test_reflect_padding_of_nothing() -> None:
    compared(archspec.parse(f"{HEAD}layers: [pad: {{padding: 0, mode: reflect}}, relu]\n"))


@pytest.mark.parametrize("layers", SHARED.values(), ids=SHARED)
def test_layers_share_weights_wherever_they_are(layers: str) -> None:
    compared(archspec.parse(f"{SHARING}layers: {layers}"))


@pytest.mark.parametrize(
    "layers",
    [
        "[layer_norm: {axes: channels, weight: 0.5}, layer_norm: {axes: channels, weight: 0.5}]",
        "[conv: {channels: 3, kernel: 3, weight: [1, 2, 1]}, conv: {channels: 3, kernel: 3, weight: [1, 2, 1]}]",
        "[layer_scale: {weight: 0.5}, reshape: [3, 36], class_token: {weight: 0.5}]",
    ],
)
def test_a_number_that_stands_for_a_whole_weight(layers: str) -> None:
    """Layers of one class share their arguments, and weights can be set although one number was given for them."""
    compared(archspec.parse(f"{HEAD}layers: {layers}\n"))


def test_unpooling_to_a_single_position() -> None:
    pool = "max_pool: {name: p, kernel: 3, stride: 2, padding: 1, indices: true}"
    unpool = "max_unpool: {from: [prev, p.indices], kernel: 3, stride: 2, padding: 1}"
    compared(archspec.parse(f"archspec: 1\nname: one\ninput: [2, 1, 1]\nlayers: [{pool}, {unpool}]\n"))
