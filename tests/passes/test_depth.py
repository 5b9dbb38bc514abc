"""Depths as published, mostly in the names of the networks."""

from __future__ import annotations

import pytest

import archspec


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("lenet5", 5), ("alexnet", 8), ("vgg11", 11), ("vgg13", 13), ("vgg16", 16), ("vgg_c", 16), ("vgg19", 19),
        ("resnet18", 18), ("resnet34", 34), ("plain34", 34), ("resnet50", 50), ("resnet152", 152),
        ("resnet20_cifar", 20), ("resnet110_cifar", 110), ("preact_resnet164_cifar", 164), ("densenet121", 121),
        ("densenet201", 201), ("densenet_bc100_k12_cifar", 100), ("squeezenet1_0", 18),
        ("unet", 23),  # the paper, section 2: "In total the network has 23 convolutional layers."
    ],
)  # fmt: skip
def test_depth_is_the_published_one(name: str, depth: int) -> None:
    assert archspec.load(name).facts.depth == depth


def test_weights_that_are_shared_count_each_time_and_side_paths_do_not() -> None:
    text = """
archspec: 1
name: net
input: [3, 8, 8]
layers:
  - conv: {name: one, channels: 3, kernel: 1}
  - conv: {share: one, channels: 3, kernel: 1}
  - side: {name: aux, training_only: true, layers: [linear: 4, linear: 4]}
outputs: {main: conv, aux: aux}
"""
    assert archspec.parse(text).facts.depth == 2
