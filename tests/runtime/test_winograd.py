"""Winograd's form of a convolution: exact in fractions, and in ONNX Runtime equal to PyTorch's `conv2d`."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

import archspec
from archspec.ir.graph import Node
from archspec.ir.types import TensorType
from archspec.lower.onnx import export
from archspec.ops.conv import Conv
from archspec.runtime import winograd
from tests.lower.onnx.runtime import inferred_shapes, random_weights, session, shapes
from tests.op_samples import Sample

numbers = st.integers(-50, 50)


def exact(rows: object) -> np.ndarray:
    return np.vectorize(Fraction)(np.array(rows))


@given(
    st.lists(numbers, min_size=36, max_size=36),
    st.lists(numbers, min_size=9, max_size=9),
)
def test_the_three_matrices_compute_a_convolution(inputs: list[int], kernel: list[int]) -> None:
    image, weight = exact(inputs).reshape(6, 6), exact(kernel).reshape(3, 3)
    into, along, back = exact(winograd.INPUT), exact(winograd.KERNEL) / 24, exact(winograd.OUTPUT)
    result = back @ ((along @ weight @ along.T) * (into @ image @ into.T)) @ back.T
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    assert (result == (windows * weight).sum(axis=(2, 3))).all()


@st.composite
def convolutions(draw: st.DrawFn) -> Sample:
    """Kernels of 3x3 over images of any size, padded in any way."""
    pads = st.tuples(st.integers(0, 4), st.integers(0, 4))
    padding = draw(st.one_of(st.just("same"), st.tuples(pads, pads)))
    sizes = [draw(st.integers(3, 14)) for _ in range(2)]
    op = Conv(channels=draw(st.integers(1, 5)), kernel=3, padding=padding, bias=draw(st.booleans()))
    return Sample(op, (TensorType((draw(st.integers(1, 5)), *sizes)),))


@given(convolutions(), st.integers(1, 3))
def test_outputs_are_those_of_conv2d(sample: Sample, batch: int) -> None:
    graph, op = sample.graph, sample.op
    assert isinstance(op, Conv)
    weights = random_weights(graph)
    model = export(graph, weights, overrides=winograd.overrides(min_gain=0.0)).to_proto()
    assert [node.op_type for node in model.graph.node].count("MatMul") == 3
    onnx.checker.check_model(model, full_check=True)
    inferred = inferred_shapes(model)
    assert inferred["y0"] == ["N", *sample.outputs[0].sizes]
    for name, declared in shapes(list(model.graph.value_info)).items():
        pairs = zip(declared, inferred[name], strict=True)
        assert all(size in (0, actual) for size, actual in pairs), name  # 0 is an axis without a size
    (image,) = sample.arrays(batch)
    result = session(model).run(None, {"x0": image})[0]
    (rows, columns) = op.sliding(sample.inputs[0]).pads
    padded = functional.pad(torch.from_numpy(image).double(), (*columns, *rows))
    parameters = {key.rpartition(".")[2]: torch.from_numpy(weight).double() for key, weight in weights.items()}
    expected = functional.conv2d(padded, parameters["weight"], parameters.get("bias")).numpy()
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-5 * np.abs(expected).max() + 1e-5)


def transformed(name: str) -> list[Node]:
    """The convolutions of a network that are computed in this form."""
    nodes = archspec.load(name).graph.nodes
    return [
        node
        for node in nodes
        if isinstance(node.op, Conv) and winograd.gain(node.op, node.inputs[0].type) > winograd.MIN_GAIN
    ]


def test_wide_layers_with_many_positions_are_transformed() -> None:
    assert [(node.inputs[0].type.sizes, node.op.channels) for node in transformed("vgg16")] == [
        ((128, 112, 112), 128), ((128, 56, 56), 256), ((256, 56, 56), 256), ((256, 56, 56), 256),
        ((256, 28, 28), 512), ((512, 28, 28), 512), ((512, 28, 28), 512),
    ]  # fmt: skip
    assert not transformed("resnet50")


@pytest.mark.parametrize(
    "attributes", [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"kernel": 5}, {"kernel": 1}], ids=str
)
def test_other_convolutions_are_not_transformed(attributes: dict[str, int]) -> None:
    wide = TensorType((512, 112, 112))
    assert winograd.gain(Conv(channels=512, kernel=3), wide) > winograd.MIN_GAIN
    assert winograd.gain(Conv(**{"channels": 512, "kernel": 3} | attributes), wide) == 0


def test_convolutions_over_one_or_three_axes_are_not_transformed() -> None:
    for shape in ((512, 4096), (512, 16, 16, 16)):
        assert winograd.gain(Conv(channels=512, kernel=3), TensorType(shape)) == 0


def test_exported_files_do_not_use_it() -> None:
    net = archspec.parse(
        "archspec: 1\nname: net\ninput: [128, 64, 64]\nlayers: [conv: {channels: 256, kernel: 3, padding: 1}]"
    )
    weights = random_weights(net.graph)
    plain, fast = export(net.graph, weights).proto, export(net.graph, weights, overrides=winograd.overrides()).proto
    assert [node.op_type for node in plain.graph.node] == ["Conv"]
    assert len(fast.graph.node) > 1
