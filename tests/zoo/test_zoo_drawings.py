"""Every network of the zoo draws: all of it as DOT, and its parts as a picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

import archspec
from archspec.lower.graphviz import draw
from tests.zoo.small import ZOO

TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.mark.parametrize("name", ZOO)
def test_it_draws(name: str, tmp_path: Path) -> None:
    net = archspec.load(name)
    dot = draw(net.graph, fold=False).source
    assert dot.count(" -> ") >= len(net.graph.nodes), "each layer is reached by an arrow"
    net.draw(tmp_path / "net.svg", depth=1)
    words = {element.text for element in ElementTree.parse(tmp_path / "net.svg").iter(TEXT)}
    assert words >= {*net.inputs, *net.outputs}
