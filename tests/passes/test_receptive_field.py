"""Receptive fields through every kind of structure, and compared with gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import archspec
from archspec.passes.receptive_field import ReceptiveField


def field(layers: str, input: str = "[2, 32, 32]", more: str = "") -> ReceptiveField:
    net = archspec.parse(f"archspec: 1\nname: n\ninput: {input}\n{more}layers:\n{layers}")
    return net.facts.fields[net.graph.outputs[0].value]


def test_branches_take_the_hull() -> None:
    actual = field("""
  - parallel:
      paths:
        - [conv: {channels: 2, kernel: 1}]
        - [conv: {channels: 2, kernel: [5, 3], padding: [2, 1]}]
""")
    assert (actual.size, actual.stride, actual.offset) == ((5, 3), (1, 1), (-2, -1))


def test_axes_follow_permutations_there_and_back() -> None:
    actual = field("""
  - conv: {channels: 4, kernel: 7, padding: 3}
  - permute: [2, 3, 1]
  - linear: 8
  - permute: [3, 1, 2]
  - conv: {channels: 4, kernel: 3, stride: 2, padding: 1}
""")
    assert (actual.size, actual.stride) == ((9, 9), (2, 2))


def test_a_permuted_axis_is_followed() -> None:
    actual = field("\n  - permute: [1, 3, 2]\n  - conv: {channels: 1, kernel: [5, 1], padding: [2, 0]}\n")
    assert actual.size == (1, 5)


@pytest.mark.parametrize("layer", ["global_avg_pool", "adaptive_avg_pool: 1", "softmax: 2"])
def test_an_op_that_reads_a_whole_axis_sees_everything(layer: str) -> None:
    actual = field(f"\n  - {layer}\n")
    assert actual.size[0] is None


def test_a_gate_over_the_whole_input_sees_everything() -> None:
    assert field("""
  - identity: {name: x}
  - global_avg_pool
  - conv: {channels: 2, kernel: 1}
  - mul: [x, conv]
""").everything


def test_paths_of_different_strides_see_everything() -> None:
    # Both have 16 rows, one by halving and one by cropping: row i sees 2i and i + 8, further and further apart.
    actual = field("""
  - parallel:
      paths:
        - [max_pool: 2]
        - [center_crop: 16]
""")
    assert actual.everything


def test_fields_are_those_of_the_first_input() -> None:
    net = archspec.parse("""
archspec: 1
name: two
inputs: {a: [2, 8, 8], b: [2, 8, 8]}
layers:
  - conv: {name: on_a, from: a, channels: 2, kernel: 3, padding: 1}
  - conv: {name: on_b, from: b, channels: 2, kernel: 5, padding: 2}
  - add: [on_a, on_b]
""")
    assert net["add"].receptive_field == (3, 3)
    assert net["on_b"].receptive_field is None


GRADED = {
    "strides": "[conv: {channels: 2, kernel: 3, stride: 2}, max_pool: {kernel: 3, stride: 2}, "
               "conv: {channels: 2, kernel: 3, dilation: 2, padding: 2}]",
    "asymmetric": "[conv: {channels: 2, kernel: 2, padding: [[1, 0]]}, conv: {channels: 2, kernel: 4, padding: same}]",
    "decoder": "[conv: {channels: 2, kernel: 3, padding: 1}, max_pool: 2, conv: {channels: 2, kernel: 3, padding: 1}, "
               "conv_transpose: {channels: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}]",
    "upsampling": "[avg_pool: 4, conv: {channels: 2, kernel: 3, padding: 1}, upsample: {scale: 4, mode: linear}]",
    "nearest": "[avg_pool: 2, upsample: 2, conv: {channels: 2, kernel: 3, padding: 1}]",
    "skip": "[parallel: {paths: [[], [max_pool: 2, conv: {channels: 2, kernel: 3, padding: 1}, "
            "conv_transpose: {channels: 2, kernel: 2, stride: 2}]]}, conv: {channels: 2, kernel: 3, padding: 1}]",
    "crop and pad": "[pad: [[3, 1]], conv: {channels: 2, kernel: 5}, center_crop: 20]",
    "adaptive": "[conv: {channels: 2, kernel: 3, padding: 1}, adaptive_avg_pool: 12]",
}  # fmt: skip


@pytest.mark.parametrize("layers", GRADED.values(), ids=GRADED)
def test_gradients_reach_just_as_far(layers: str) -> None:
    """Away from the border, an output position's gradient is nonzero on exactly its field, first to last."""
    size = 48
    net = archspec.parse(f"archspec: 1\nname: n\ninput: [2, {size}]\nlayers: {layers}\n")
    (window,) = net.facts.fields[net.graph.outputs[0].value].windows
    assert window is not None
    torch.manual_seed(0)
    model = net.to_torch().double()
    for parameter in model.parameters():  # nothing cancels, nothing vanishes
        torch.nn.init.uniform_(parameter, 0.5, 1.0)
    signal = (torch.rand(1, 2, size, dtype=torch.double) + 0.5).requires_grad_()
    output = model(signal)
    touched = np.zeros(0)
    checked = 0
    for position in range(output.shape[2]):
        reach = window.reach(position)
        if reach is None or reach[0] < 0 or reach[1] >= size:
            continue
        (gradient,) = torch.autograd.grad(output[0, :, position].sum(), signal, retain_graph=True)
        touched = np.flatnonzero(gradient[0].abs().sum(0).numpy())
        if "max_pool" in layers:  # only the largest value of a window has a gradient
            assert reach[0] <= touched.min() <= touched.max() <= reach[1]
        else:
            assert (touched.min(), touched.max()) == reach
        checked += 1
    assert checked >= 3
