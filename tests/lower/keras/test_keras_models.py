"""Networks in Keras on PyTorch: they compute what the modules compute, with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import archspec
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
    made = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    return [keras.ops.convert_to_numpy(one) for one in (made if isinstance(made, list | tuple) else [made])]


def moved(net: archspec.Network) -> dict[str, np.ndarray]:
    """First values, with which numbers neither vanish nor explode, but no bias is 0 and no variance 1."""
    random = np.random.default_rng(1)
    first = net.weights(seed=1)
    return {
        key: value + random.uniform(0.1, 0.3, value.shape).astype(value.dtype) if value.ndim == 1 else value
        for key, value in first.items()
    }


def same(net: archspec.Network) -> keras.Model:
    """The model, which computes what the module does."""
    weights = moved(net)
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
def test_networks_compute_what_their_modules_do(name: str) -> None:
    net = small(name)
    model = same(net)
    assert model.count_params() == net.params + net.buffers - sum(
        weight.elements for key, weight in net.graph.weights() if key.endswith("num_batches_tracked")
    )


def test_a_model_is_saved_and_comes_back(tmp_path: Path) -> None:
    model = archspec.parse(BLOCK).to_keras(seed=3)
    x = np.ones((1, *model.input_shape[1:]), np.float32)
    model.save(tmp_path / "model.keras")
    (got,), (wanted,) = outputs(keras.models.load_model(tmp_path / "model.keras"), x), outputs(model, x)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_layers_of_the_sources_own_are_saved_too(tmp_path: Path) -> None:
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
    model = same(net)
    x = np.random.default_rng(2).normal(size=(2, 3, 6, 6)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    (got,), (wanted,) = outputs(keras.models.load_model(tmp_path / "model.keras"), x), outputs(model, x)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


PLACES = """
archspec: 1
name: places
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


def test_places_are_values_too(tmp_path: Path) -> None:
    model = same(archspec.parse(PLACES))
    x = np.random.default_rng(2).normal(size=(2, 3, 13, 12)).astype(np.float32)
    boxes = np.array([[[0, 1, 9, 7], [2, 2, 3, 30], [5, 4, 1, 2], [-3, -3, 20, 20]]] * 2, np.float32)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for got, wanted in zip(outputs(again, x, boxes), outputs(model, x, boxes), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_first_values_are_the_specs_and_names_too() -> None:
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
    model = same(net)
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]) == 1


@pytest.mark.parametrize("name", ["pad_2", "add_3", "get_item", "name", "layers", "0", "class"])
def test_names_that_keras_gives_itself_are_left_to_it(name: str) -> None:
    """Operations without a name of their own get one, and a model does not take two of one name."""
    same(
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


def test_names_that_underscores_make_equal_stay_apart() -> None:
    same(
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
    "lent weights": """
  - conv: {name: c, channels: 3, kernel: 3}
  - conv: {from: input, share: c, channels: 3, kernel: 3}
  - crop_like: [prev, c]
  - conv: {share: c, channels: 3, kernel: 3}
""",
    "lent while training": """
  - side: {training_only: true, layers: [conv: {name: c, channels: 3, kernel: 3}]}
  - conv: {share: c, channels: 3, kernel: 3}
  - conv: {share: c, channels: 3, kernel: 3}
""",
}
"""Layers `c` that nothing reads at inference, but for their size."""


@pytest.mark.parametrize("layers", SIZED.values(), ids=SIZED)
def test_a_layer_that_is_not_needed_is_none_of_the_model(layers: str) -> None:
    same(archspec.parse(f"{HEAD}layers:{layers}"))


def test_no_rows_to_mirror_are_nothing_to_pad() -> None:
    same(archspec.parse(f"{HEAD}layers: [pad: {{padding: 0, mode: reflect}}, relu]\n"))
