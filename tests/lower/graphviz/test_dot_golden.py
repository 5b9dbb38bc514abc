"""Diagrams as they are written, word for word: read the diff when they change."""

from __future__ import annotations

from collections.abc import Callable

from archspec.lower.graphviz import draw
from tests.lower.graphviz.drawings import network

Golden = Callable[[str, str], None]


def test_a_chain(golden: Golden) -> None:
    golden("dot/lenet5.dot", draw(network("lenet5")).source)


def test_frames_sides_and_every_fact(golden: Golden) -> None:
    diagram = draw(network("inception"), rankdir="LR", show=("shapes", "names", "params", "macs", "field"))
    golden("dot/inception.dot", diagram.source)


def test_what_repeats(golden: Golden) -> None:
    golden("dot/residuals_folded.dot", draw(network("residuals"), fold=True).source)


def test_a_decoder_of_closed_blocks(golden: Golden) -> None:
    golden("dot/unet_depth4.dot", draw(network("unet"), depth=4).source)
