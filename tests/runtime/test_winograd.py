"""Winograd's form of a convolution: exact in fractions, and in ONNX Runtime what PyTorch's `conv2d` says."""

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
def test_the_three_matrices_make_a_convolution(inputs: list[int], kernel: list[int]) -> None:
    image, weight = exact(inputs).reshape(6, 6), exact(kernel).reshape(3, 3)
    into, along, back = exact(winograd.INPUT), exact(winograd.KERNEL) / 24, exact(winograd.OUTPUT)
    found = back @ ((along @ weight @ along.T) * (into @ image @ into.T)) @ back.T
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    assert (found == (windows * weight).sum(axis=(2, 3))).all()


@st.composite
def convolutions(draw: st.DrawFn) -> Sample:
    """Kernels of 3x3 over images of any size, padded in any way."""
    pads = st.tuples(st.integers(0, 4), st.integers(0, 4))
    padding = draw(st.one_of(st.just("same"), st.tuples(pads, pads)))
    sizes = [draw(st.integers(3, 14)) for _ in range(2)]
    op = Conv(channels=draw(st.integers(1, 5)), kernel=3, padding=padding, bias=draw(st.booleans()))
    return Sample(op, (TensorType((draw(st.integers(1, 5)), *sizes)),))


@given(convolutions(), st.integers(1, 3))
def test_it_says_what_conv2d_says(sample: Sample, batch: int) -> None:
    graph, op = sample.graph, sample.op
    assert isinstance(op, Conv)
    weights = random_weights(graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "GAIN", 0.0)
        model = export(graph, weights, overrides=winograd.OVERRIDES).to_proto()
    assert [node.op_type for node in model.graph.node].count("MatMul") == 3
    onnx.checker.check_model(model, full_check=True)
    inferred = inferred_shapes(model)
    assert inferred["y0"] == ["N", *sample.outputs[0].sizes]
    for name, declared in shapes(list(model.graph.value_info)).items():
        pairs = zip(declared, inferred[name], strict=True)
        assert all(size in (0, found) for size, found in pairs), name  # 0 stands for an axis that has no size
    (image,) = sample.arrays(batch)
    found = session(model).run(None, {"x0": image})[0]
    (rows, columns) = op.sliding(sample.inputs[0]).pads
    padded = functional.pad(torch.from_numpy(image).double(), (*columns, *rows))
    given = {key.rpartition(".")[2]: torch.from_numpy(weight).double() for key, weight in weights.items()}
    wanted = functional.conv2d(padded, given["weight"], given.get("bias")).numpy()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 * np.abs(wanted).max() + 1e-5)


def written(name: str) -> list[Node]:
    """The convolutions of a network that are written so."""
    nodes = archspec.load(name).graph.nodes
    return [
        node
        for node in nodes
        if isinstance(node.op, Conv) and winograd.gain(node.op, node.inputs[0].type) > winograd.GAIN
    ]


def test_it_is_for_wide_layers_with_many_positions() -> None:
    assert [(node.inputs[0].type.sizes, node.op.channels) for node in written("vgg16")] == [
        ((128, 112, 112), 128), ((128, 56, 56), 256), ((256, 56, 56), 256), ((256, 56, 56), 256),
        ((256, 28, 28), 512), ((512, 28, 28), 512), ((512, 28, 28), 512),
    ]  # fmt: skip
    assert not written("resnet50")


@pytest.mark.parametrize(
    "attributes", [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"kernel": 5}, {"kernel": 1}], ids=str
)
def test_other_convolutions_stay_as_they_are(attributes: dict[str, int]) -> None:
    wide = TensorType((512, 112, 112))
    assert winograd.gain(Conv(channels=512, kernel=3), wide) > winograd.GAIN
    assert winograd.gain(Conv(**{"channels": 512, "kernel": 3} | attributes), wide) == 0


def test_convolutions_over_other_axes_stay_as_they_are() -> None:
    for shape in ((512, 4096), (512, 16, 16, 16)):
        assert winograd.gain(Conv(channels=512, kernel=3), TensorType(shape)) == 0


def test_only_what_is_run_at_once_is_written_so() -> None:
    net = archspec.parse(
        "archspec: 1\nname: net\ninput: [128, 64, 64]\nlayers: [conv: {channels: 256, kernel: 3, padding: 1}]"
    )
    weights = random_weights(net.graph)
    plain, fast = export(net.graph, weights).proto, export(net.graph, weights, overrides=winograd.OVERRIDES).proto
    assert [node.op_type for node in plain.graph.node] == ["Conv"]
    assert len(fast.graph.node) > 1
