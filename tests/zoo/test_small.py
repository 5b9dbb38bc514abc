"""The networks of the zoo that tests leave out show nothing that others do not."""

from __future__ import annotations

from functools import cache

import pytest

import archspec
from tests.zoo.small import DISTINCT, FAMILY, ZOO


@cache
def layers(name: str) -> frozenset[tuple[object, ...]]:
    """What a network is made of, but for numbers: ops, the attributes that are written of them, ranks of inputs."""
    nodes = archspec.load(name).graph.nodes
    return frozenset((node.op.kind, tuple(node.op.explicit_attributes()), node.inputs[0].type.rank) for node in nodes)


@pytest.mark.parametrize("name", [name for name in ZOO if name not in DISTINCT])
def test_others_of_the_family_have_all_its_layers(name: str) -> None:
    family = [layers(other) for other in DISTINCT if FAMILY[other] == FAMILY[name]]
    assert layers(name) <= frozenset().union(*family)
