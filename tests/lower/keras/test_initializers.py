"""The initial weights of a model that is built from source alone: as the spec gives them, if it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import archspec
from archspec.lower.keras.partition import plan
from archspec.lower.text.exec_source import execute

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, of PyTorch

LAYERS = {
    "conv": ("[8, 6, 6]", "conv: {channels: 48, kernel: 3, init: INIT}"),
    "grouped": ("[8, 6, 6]", "conv: {channels: 64, kernel: 3, groups: 2, init: INIT}"),
    "depthwise": ("[64, 9, 9]", "conv: {channels: 64, kernel: 5, groups: 64, init: INIT}"),
    "multiplied": ("[32, 9, 9]", "conv: {channels: 96, kernel: 5, groups: 32, init: INIT}"),
    "transposed": ("[48, 5, 5]", "conv_transpose: {channels: 12, kernel: 4, stride: 2, init: INIT}"),
    "linear": ("[64]", "linear: {features: 96, init: INIT}"),
    "votes": ("[20, 8]", "capsule_votes: {capsules: 10, features: 16, init: INIT}"),
    "prototypes": ("[80]", "radial_basis: {units: 60, init: INIT}"),
}

RANDOM = (
    "{normal: {mean: 0.5, std: 0.2}}", "{uniform: {low: -0.3, high: 0.1}}", "{trunc_normal: {std: 0.02}}",
    "trunc_normal", "xavier_uniform", "{xavier_normal: {gain: 2}}", "kaiming_uniform",
    "{kaiming_normal: {mode: fan_out}}", "{kaiming_uniform: {mode: fan_out, nonlinearity: tanh}}",
    "{kaiming_normal: {nonlinearity: linear}}",
)  # fmt: skip


def parsed(body: str, sizes: str = "[3, 6, 6]") -> archspec.Network:
    return archspec.parse(f"archspec: 1\nname: a\ninput: {sizes}\n{body}")


def built(net: archspec.Network) -> keras.Model:
    """The model of the source alone, with a fixed seed."""
    keras.utils.set_random_seed(0)
    model: keras.Model = execute(net.source("keras"))()
    return model


def initial_weights(net: archspec.Network) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """The weights of the source's model and weights drawn as in the spec, both in the layout of Keras."""
    model, model_plan, first = built(net), plan(net.graph), net.weights(seed=1)
    got: dict[str, NDArray[np.float32]] = {}
    wanted: dict[str, NDArray[np.float32]] = {}
    for path, layouts in model_plan.weights.items():
        arrays = model.get_layer(model_plan.layer_names[path]).get_weights()
        for (key, layout), array in zip(layouts, arrays, strict=True):
            got[f"{key} {layout.entry}"], wanted[f"{key} {layout.entry}"] = array, layout.array(first[key])
    return got, wanted


@pytest.mark.parametrize("init", RANDOM)
@pytest.mark.parametrize("layer", LAYERS)
def test_values_are_drawn_from_the_distribution_of_the_spec(layer: str, init: str) -> None:
    """Compared by the quantiles of several thousand numbers."""
    sizes, written = LAYERS[layer]
    got, wanted = initial_weights(parsed(f"layers: [{written.replace('INIT', '{weight: ' + init + '}')}]", sizes))
    (key,) = (key for key in got if ".weight" in key)
    steps = np.linspace(0.02, 0.98, 25)
    assert got[key].shape == wanted[key].shape
    spread = wanted[key].std()
    np.testing.assert_allclose(
        np.quantile(got[key], steps) / spread, np.quantile(wanted[key], steps) / spread, atol=0.25
    )
    assert got[key].std() == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("layer", ["conv", "transposed", "linear"])
def test_orthogonal_values_are_orthogonal(layer: str) -> None:
    sizes, written = LAYERS[layer]
    got, _ = initial_weights(parsed(f"layers: [{written.replace('INIT', '{weight: {orthogonal: {gain: 2}}}')}]", sizes))
    (kernel,) = (array for key, array in got.items() if ".weight" in key)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-4)


EXACT = """layers:
  - conv: {channels: 4, kernel: 3, padding: 1, bias: false, weight: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}
  - conv: {channels: 8, kernel: [1, 2], groups: 4, weight: [[1, 2]], init: {bias: 3}}
  - conv: {channels: 5, kernel: 1, init: {weight: {constant: {value: 0.5}}, bias: ones}}
  - conv_transpose: {channels: 2, kernel: 4, stride: 2, init: {weight: {constant: {value: 2}}, bias: 0}}
  - conv_transpose: {channels: 2, kernel: 4, stride: 2, init: {weight: bilinear, bias: 0}}
  - batch_norm: {init: {weight: zeros, bias: 0.1}}
  - group_norm: {groups: 2, init: {weight: 0.5}}
  - layer_norm: {axes: channels, init: {bias: 2}}
  - prelu
  - affine
  - layer_scale: 0.001
  - adaptive_avg_pool: [1, 3]
  - flatten
  - radial_basis: {units: 2, weight: [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]}
"""


def test_values_that_are_not_random_are_those_of_the_spec() -> None:
    net = parsed(EXACT.replace("adaptive_avg_pool: [1, 3]", "reduce_mean: {axis: 2}\n  - slice: {end: 3, axis: 2}"))
    got, wanted = initial_weights(net)
    for key, array in wanted.items():
        np.testing.assert_array_equal(got[key], array, err_msg=key)


def test_with_a_partial_each_layer_draws_its_own_values() -> None:
    net = parsed(
        """layers:
  - conv: {name: one, channels: 3, kernel: 3, padding: 1}
  - conv: {name: two, channels: 3, kernel: 3, padding: 1}
init: {conv: {weight: kaiming_normal}}
"""
    )
    assert "Conv2D = partial(" in net.source("keras")
    model = built(net)
    one, two = (model.get_layer(name).get_weights()[0] for name in ("one", "two"))
    assert not np.allclose(one, two)


def test_layers_without_an_initializer_keep_the_default_of_keras() -> None:
    net = parsed("layers: [conv: {channels: 3, kernel: 3}, flatten, linear: 4]")
    assert "initializer" not in net.source("keras")


def test_frozen_layers_are_not_trainable_in_keras() -> None:
    net = parsed(
        """layers:
  - conv: {name: edges, channels: 3, kernel: 3, bias: false, weight: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}
  - conv: {name: kept, channels: 3, kernel: 1, trainable: false}
  - frozen_batch_norm
  - conv: {name: learned, channels: 3, kernel: 1}
"""
    )
    model = built(net)
    assert [layer.name for layer in model.layers if layer.trainable_weights] == ["learned"]


def test_single_variables_of_a_layer_can_be_frozen() -> None:
    """With a fixed filter the bias is trainable; a frozen batch normalization still updates its running mean."""
    net = parsed(
        """layers:
  - conv: {name: edges, channels: 3, kernel: 3, weight: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}
  - conv: {name: each, channels: 3, kernel: 1, groups: 3, weight: [[2]]}
  - batch_norm: {name: norm, trainable: false}
"""
    )
    model = built(net)
    assert [variable.path for variable in model.trainable_variables] == ["edges/bias", "each/bias"]
    assert model.get_layer("norm").trainable


def test_long_lists_of_numbers_become_tables() -> None:
    text = archspec.load("lenet5_1998").source("keras")
    assert text.count("OUTPUT_KERNEL") == 2
    assert "kernel_initializer=Listed(OUTPUT_KERNEL)" in text


def test_tables_whose_names_would_be_equal_stay_distinct() -> None:
    row = ", ".join(map(str, range(20)))
    net = parsed(
        f"""blocks:
  b: {{layers: [radial_basis: {{name: c, units: 2, weight: [[{row}], [{row}]]}}]}}
layers:
  - b: {{name: a, from: input}}
  - radial_basis: {{name: a_c, units: 2, weight: [[{row}], [{row.replace("19", "0")}]], from: input}}
  - add: {{from: [a, a_c]}}
""",
        "[20]",
    )
    got, wanted = initial_weights(net)
    for key, array in wanted.items():
        np.testing.assert_array_equal(got[key], array)
    module = net.to_torch()
    assert module.get_parameter("a.c.weight").tolist() != module.get_parameter("a_c.weight").tolist()


def test_a_network_of_keras_layers_is_loaded_without_its_source(tmp_path: Path) -> None:
    net = archspec.load("resnet18", input=(3, 32, 32))
    assert "register_keras_serializable" not in net.source("keras")
    built(net).save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").output_shape == (None, 1000)
