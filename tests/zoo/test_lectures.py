"""The lectures' examples compute what lectures work out by hand; their sizes and counts are in the specs themselves."""

from __future__ import annotations

import itertools

import numpy
import pytest
import torch

import archspec
from archspec import zoo


def computed(example: str, image: list[list[float]] | list[float]) -> list:
    """What the PyTorch module of an example makes of one channel."""
    with torch.no_grad():
        result = (
            archspec.load(f"lectures/{example}").to_torch().eval()(torch.tensor(image, dtype=torch.float32)[None, None])
        )
    return result[0, 0].tolist()


def sizes(example: str, op: str) -> list[int]:
    return [layer.shape[-1] for layer in archspec.load(f"lectures/{example}") if layer.op == op]


# --- one dimension --------------------------------------------------------------------------------------------------

X, F = [1, 2, 3, 2, 5, 1], [1, 2]


@pytest.mark.parametrize(
    ("variant", "result"),
    [
        ("plain", [5, 8, 7, 12, 7]), ("stride_2", [5, 7, 7]), ("padding_1", [2, 5, 8, 7, 12, 7, 1]),
        ("same", [5, 8, 7, 12, 7, 1]), ("mirrored", [4, 7, 8, 9, 11]),
    ],
)  # fmt: skip
def test_a_one_dimensional_convolution_by_hand(variant, result):
    assert computed(f"conv1d:{variant}", X) == result
    assert str(result) in archspec.load(f"lectures/conv1d:{variant}").title


def test_networks_correlate_and_mathematics_convolves():
    assert computed("conv1d:plain", X) == numpy.correlate(X, F, "valid").tolist()
    assert computed("conv1d:mirrored", X) == numpy.convolve(X, F, "valid").tolist()
    assert computed("conv1d:padding_1", X) == numpy.correlate(X, F, "full").tolist()


# --- images ---------------------------------------------------------------------------------------------------------

FOUR = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]
EDGE = [[10, 10, 10, 0, 0, 0]] * 6
"""Bright on the left, dark on the right."""
PLAIN = [[7.0] * 6] * 6


@pytest.mark.parametrize(
    ("variant", "result"), [("max", [[9, 2], [6, 3]]), ("average", [[15 / 4, 5 / 4], [15 / 4, 2]])]
)
def test_pooling_by_hand(variant, result):
    assert computed(f"pooling:{variant}", FOUR) == result


@pytest.mark.parametrize(
    ("variant", "row"),
    [
        ("box_blur", [10, 20 / 3, 10 / 3, 0]), ("gaussian", [10, 7.5, 2.5, 0]), ("sharpen", [10, 20, -10, 0]),
        ("vertical", [0, 30, 30, 0]), ("horizontal", [0, 0, 0, 0]), ("sobel", [0, 40, 40, 0]),
        ("laplacian", [0, -10, 10, 0]),
    ],
)  # fmt: skip
def test_what_filters_make_of_an_edge(variant, row):
    torch.testing.assert_close(torch.tensor(computed(f"filters:{variant}", EDGE)), torch.tensor([row] * 4).float())
    turned = {"vertical": "horizontal", "horizontal": "vertical"}
    if variant in turned:
        across = computed(f"filters:{turned[variant]}", numpy.transpose(EDGE).tolist())
        assert numpy.transpose(across).tolist() == computed(f"filters:{variant}", EDGE)


@pytest.mark.parametrize("variant", ["box_blur", "gaussian", "sharpen", "vertical", "horizontal", "sobel", "laplacian"])
def test_a_plain_image_has_no_edges_and_stays_as_it_is_blurred(variant):
    level = 7 if variant in ("box_blur", "gaussian", "sharpen") else 0
    torch.testing.assert_close(torch.tensor(computed(f"filters:{variant}", PLAIN)), torch.full((4, 4), float(level)))


def test_fixed_filters_do_not_learn():
    for name, path in zoo.names(zoo.LECTURES):
        if path.stem in ("filters", "conv1d", "transposed", "edge_detector"):
            assert not any(weight.requires_grad for weight in archspec.load(name).to_torch().parameters())


# --- transposed convolution -----------------------------------------------------------------------------------------


def laid_on(image: numpy.ndarray, kernel: numpy.ndarray, stride: int) -> numpy.ndarray:
    """Transposed convolution by its definition: the kernel, times each pixel, laid on the output and added up."""
    rows, columns = ((n - 1) * stride + f for n, f in zip(image.shape, kernel.shape, strict=True))
    result = numpy.zeros((rows, columns))
    for i, j in itertools.product(*map(range, image.shape)):
        result[i * stride :, j * stride :][: len(kernel), : len(kernel)] += image[i, j] * kernel
    return result


IMAGE, NINE = numpy.array([[1, 2], [3, 4]]), numpy.arange(1, 10).reshape(3, 3)


@pytest.mark.parametrize(
    ("variant", "result"),
    [
        ("grown", [[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]),
        ("tiled", [[1, 2, 2, 4], [3, 4, 6, 8], [3, 6, 4, 8], [9, 12, 12, 16]]),
        ("overlapping", [[1, 2, 5, 4, 6], [4, 5, 14, 10, 12], [10, 14, 36, 24, 30], [12, 15, 34, 20, 24],
                         [21, 24, 55, 32, 36]]),
        ("cropped", [[5, 14, 10], [14, 36, 24], [15, 34, 20]]),
    ],
)  # fmt: skip
def test_transposed_convolution_by_hand(variant, result):
    assert computed(f"transposed:{variant}", IMAGE.tolist()) == result
    kernel = IMAGE if variant == "tiled" else NINE
    by_definition = laid_on(IMAGE, kernel, 1 if variant == "grown" else 2)
    border = 1 if variant == "cropped" else 0
    assert by_definition[border : len(by_definition) - border, border : len(by_definition) - border].tolist() == result


# --- counts that two networks share ---------------------------------------------------------------------------------


def test_the_chain_from_128_rows():
    assert sizes("chain:pooled", "max_pool") == [62, 29, 12]
    assert sizes("chain:strided_5x5", "conv") == [62, 29, 13]
    assert sizes("chain:strided_6x6", "conv") == [62, 29, 12]


def test_a_fully_connected_network_and_its_convolutional_sibling_compute_the_same():
    dense, sibling = (archspec.load(f"lectures/dense:{variant}") for variant in ("fully_connected", "convolutional"))
    model, weights = dense.to_torch(), dense.weights()
    shapes = {key: weight.shape for key, weight in sibling.graph.weights()}
    model.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
    slid = sibling.to_torch({key: array.reshape(shapes[key]) for key, array in weights.items()})
    image = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(slid(image).flatten(1), model(image), rtol=1e-4, atol=1e-5)


def test_an_edge_detector_takes_three_operations_a_pixel():
    # Goodfellow, Bengio, Courville. Deep learning, figure 9.6
    edges = archspec.load("lectures/edge_detector")
    assert edges.facts.total.cost.operations == 319 * 280 * 3 == 267_960
    # there: "320 * 280 * 319 * 280, or over eight billion, entries in the matrix"
    matrix = archspec.load("lectures/edge_detector", matrix=True)
    assert matrix.params == matrix.macs == 320 * 280 * 319 * 280 == 8_003_072_000


def test_what_is_taken_apart_costs_the_published_share():
    # Howard et al. MobileNets, section 3.1: 1 / channels out + 1 / f^2 of the work
    whole, apart = (archspec.load(f"lectures/separable:{variant}") for variant in ("whole", "apart"))
    assert apart.macs / whole.macs == pytest.approx(1 / 512 + 1 / 9)
    assert apart.outputs == whole.outputs


def test_the_tables_are_the_networks_of_the_zoo():
    columns = {"A": "vgg11", "A-LRN": "vgg11_lrn", "B": "vgg13", "C": "vgg_c", "D": "vgg16", "E": "vgg19"}
    pairs = {f"vgg_table:{column}": name for column, name in columns.items()} | {
        "resnet_table:18-layer": "resnet18", "resnet_table:34-layer": "resnet34", "lenet5_table": "lenet5",
        "alexnet_table": "alexnet_single_tower",
    }  # fmt: skip
    for table, name in pairs.items():
        one, other = archspec.load(f"lectures/{table}"), archspec.load(name)
        shapes = ([weight.shape for _, weight in net.graph.weights()] for net in (one, other))
        assert sorted(next(shapes)) == sorted(next(shapes)), table
        assert one.macs == other.macs, table
