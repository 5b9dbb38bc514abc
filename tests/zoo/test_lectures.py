"""Exercises as lectures set them, each with the lecture's or the textbook's figures."""

from __future__ import annotations

import numpy
import pytest
import torch

import archspec


def net(layers: str, *, input: str) -> archspec.Network:
    """A chain of layers, one a line."""
    items = "".join(f"  - {line.strip()}\n" for line in layers.strip().splitlines())
    return archspec.parse(f"archspec: 1\nname: exercise\ninput: {input}\nlayers:\n{items}")


def sizes(network: archspec.Network, op: str) -> list[int]:
    return [layer.shape[-1] for layer in network if layer.op == op]


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_a_5x5_convolution_of_stride_2_halves_and_loses_its_border():
    chain = net("\n".join(["conv: {channels: 8, kernel: 5, stride: 2}"] * 3), input="[1, 128, 128]")
    # (128 - 5) / 2 + 1 = 62.5, (62 - 5) / 2 + 1 = 29.5 and (29 - 5) / 2 + 1 = 13, rounded down
    assert sizes(chain, "conv") == [62, 29, 13]


def test_5x5_convolutions_with_2x2_pooling_go_from_128_to_62_to_29_to_12():
    # The chain as lectures draw it: each convolution loses four rows and each pooling halves. One strided convolution
    # in place of both differs in the last step: it ends at 13, as above.
    pair = "conv: {channels: 8, kernel: 5}\nmax_pool: 2\n"
    assert sizes(net(3 * pair, input="[1, 128, 128]"), "max_pool") == [62, 29, 12]


def test_a_6x6_convolution_of_stride_2_goes_the_same_way_as_convolution_and_pooling():
    # 2x2 pooling behind a 5x5 convolution sees 6x6, two positions apart
    chain = net("\n".join(["conv: {channels: 8, kernel: 6, stride: 2}"] * 3), input="[1, 128, 128]")
    assert sizes(chain, "conv") == [62, 29, 12]


@pytest.mark.parametrize(
    ("attributes", "length"), [("", 5), (", stride: 2", 3), (", padding: 1", 7), (", padding: same", 6)]
)
def test_sizes_of_a_one_dimensional_convolution(attributes, length):
    # of 6 values with a kernel of 2: 5 positions, every other of them, and 7 with a zero on either side
    layer = f"conv: {{channels: 1, kernel: 2, bias: false{attributes}}}"
    assert net(layer, input="[1, 6]").outputs == {"output": (1, length)}


# --- numbers --------------------------------------------------------------------------------------------------------

X, F = [1, 2, 3, 2, 5, 1], [1, 2]


def slid(kernel: list[int], attributes: str = "") -> list[float]:
    """X under a kernel of fixed weights, as PyTorch computes it."""
    layer = f"conv: {{channels: 1, kernel: {len(kernel)}, bias: false, weight: {kernel}{attributes}}}"
    model = net(layer, input="[1, 6]").to_torch()
    return model(torch.tensor([[X]], dtype=torch.float32)).flatten().tolist()


@pytest.mark.parametrize(
    ("attributes", "result"),
    [("", [5, 8, 7, 12, 7]), (", stride: 2", [5, 7, 7]), (", padding: 1", [2, 5, 8, 7, 12, 7, 1])],
)
def test_a_one_dimensional_convolution_by_hand(attributes, result):
    # The lecture slides [1, 2] over [1, 2, 3, 2, 5, 1] as it stands: 1 * 1 + 2 * 2 = 5 comes first. That is
    # correlation, what networks call convolution: a learned kernel may as well be the mirrored one, so nobody mirrors.
    assert slid(F, attributes) == result


def test_the_convolution_of_mathematics_is_that_with_the_kernel_mirrored():
    assert slid(F) == numpy.correlate(X, F, "valid").tolist()
    assert slid(F[::-1]) == numpy.convolve(X, F, "valid").tolist() == [4, 7, 8, 9, 11]


# --- parameters -----------------------------------------------------------------------------------------------------


def test_parameters_of_a_fully_connected_network():
    # 64x64 pixels to 256, 128, 64 and 16 units: (4096 + 1) 256 + (256 + 1) 128 + (128 + 1) 64 + (64 + 1) 16
    dense = net("flatten\nlinear: 256\nlinear: 128\nlinear: 64\nlinear: 16", input="[1, 64, 64]")
    assert [layer.params for layer in dense if layer.params] == [1_048_832, 32_896, 8_256, 1_040]
    assert dense.params == 1_091_024


def test_the_convolutional_sibling_of_a_fully_connected_network_has_its_parameters_and_its_work():
    # a linear layer is a convolution as large as its input, and the next ones are 1x1 convolutions
    text = "conv: {channels: 256, kernel: 64}\n" + "\n".join(
        f"conv: {{channels: {channels}, kernel: 1}}" for channels in (128, 64, 16)
    )
    dense = net("flatten\nlinear: 256\nlinear: 128\nlinear: 64\nlinear: 16", input="[1, 64, 64]")
    sibling = net(text, input="[1, 64, 64]")
    assert [layer.params for layer in sibling] == [layer.params for layer in dense if layer.params]
    assert sibling.macs == dense.macs == 4096 * 256 + 256 * 128 + 128 * 64 + 64 * 16
    assert net(text, input="[1, 80, 80]").outputs == {"output": (16, 17, 17)}


# --- work -----------------------------------------------------------------------------------------------------------


def test_an_edge_detector_takes_three_operations_a_pixel():
    # Goodfellow, Bengio, Courville. Deep learning, figure 9.6: the difference of neighbours in an image 320 wide and
    # 280 high takes 319 * 280 * 3 = 267,960 operations, two multiplications and an addition each
    edges = net("conv: {channels: 1, kernel: [1, 2], bias: false, weight: [[-1, 1]]}", input="[1, 280, 320]")
    assert edges.outputs == {"output": (1, 280, 319)}
    assert edges.facts.total.work.operations == 319 * 280 * 3 == 267_960
    assert (edges.params, edges.trainable_params) == (2, 0)


def test_the_matrix_of_the_same_edge_detector_has_eight_billion_entries():
    # there: "320 * 280 * 319 * 280, or over eight billion, entries in the matrix"
    matrix = net("flatten\nlinear: {features: 319 * 280, bias: false}", input="[1, 280, 320]")
    assert matrix.params == matrix.macs == 320 * 280 * 319 * 280 == 8_003_072_000
