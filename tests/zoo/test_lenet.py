"""The 1998 LeNet-5 beyond its totals: connections, the table of C3, and the bitmaps of its output layer."""

from __future__ import annotations

from functools import cache
from math import prod

import pytest

import archspec

load = cache(archspec.load)

# LeCun, Bottou, Bengio, Haffner 1998, section II.B
CONNECTIONS = {"c1": 122_304, "c3": 151_600, "c5": 48_120, "f6": 10_164, "output": 840}
SUBSAMPLING = {"s2": 5_880, "s4": 2_000}

# table I of the paper: for each map of S2, the maps of C3 that read it
READERS = [
    [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
    [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
    [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
    [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
    [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
    [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
]


def layers_of(name: str):
    return [layer for layer in load("lenet5_1998") if layer.name == name or layer.name.startswith(f"{name}.")]


def bitmaps() -> list[tuple[int, ...]]:
    (weight,) = load("lenet5_1998")["output"].node.weights
    return weight.initializer.options["values"]


@pytest.mark.parametrize("name", CONNECTIONS)
def test_connections_are_multiply_accumulates_and_added_biases(name):
    work = [layer.facts.costs[layer.node].cost for layer in layers_of(name)]
    assert sum(w.macs + w.other.get("add", 0) for w in work) == CONNECTIONS[name]


@pytest.mark.parametrize("name", SUBSAMPLING)
def test_a_subsampling_unit_connects_to_its_window_and_to_a_bias(name):
    pool, affine = layers_of(name)
    window = prod(pool.node.op.sliding(pool.node.input_types[0]).kernel)
    assert prod(affine.shape) * (window + 1) == SUBSAMPLING[name]


def test_the_connections_add_up_to_the_papers_340_908():
    # the paper's total counts the 840 of the output layer, which its table of layers leaves out
    assert sum(CONNECTIONS.values()) + sum(SUBSAMPLING.values()) == 340_908


def test_c3_reads_the_maps_of_table_i():
    selected = [layer.node.op.indices for layer in layers_of("c3") if layer.op == "select"]
    readers = [[i for i, maps in enumerate(selected) if source in maps] for source in range(6)]
    assert readers == READERS


def test_the_output_layer_holds_ten_bitmaps_that_do_not_learn():
    (weight,) = load("lenet5_1998")["output"].node.weights
    assert weight.shape == (10, 7 * 12)
    assert not weight.trainable
    assert {pixel for bitmap in bitmaps() for pixel in bitmap} == {-1, 1}
    assert len(set(bitmaps())) == 10


def test_the_nine_is_the_six_turned_upside_down():
    # The transcriptions of figure 3 differ in one pixel of the 9; the figure's 6 and 9 are one shape, in ten of twelve
    # rows.
    six, nine = bitmaps()[6], bitmaps()[9]
    assert nine == (*reversed(six[:70]), *six[70:])
    assert set(six[70:]) == {-1}
