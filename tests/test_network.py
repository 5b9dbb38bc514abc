"""A network as a Python object: copied and pickled, as processes hand it to one another."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

import archspec
from archspec.network import Network


def through_pickle(net: Network) -> Network:
    loaded: Network = pickle.loads(pickle.dumps(net))
    return loaded


@pytest.mark.parametrize("name", ["lenet5_1998", "googlenet"])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, through_pickle])
def test_a_copy_says_and_makes_the_same(name: str, way: Callable[[Network], Network]) -> None:
    net = archspec.load(name)
    for copied in (way(net), way(net)):  # before its facts were asked for and after
        assert copied.summary() == net.summary()
        assert copied.as_json() == net.as_json()
        assert copied.source() == net.source()
