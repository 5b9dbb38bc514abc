"""The garbage collector rests while a network is built, and afterwards is as it was."""

from __future__ import annotations

import gc
import weakref

import pytest

from archspec import collector
from archspec.collector import resting_collector


@pytest.fixture(autouse=True)
def as_it_was():
    enabled = gc.isenabled()
    yield
    (gc.enable if enabled else gc.disable)()


def test_it_rests_inside_and_works_outside():
    gc.enable()
    with resting_collector():
        assert not gc.isenabled()
        with resting_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_a_mistake():
    gc.enable()
    with pytest.raises(ValueError, match="x"), resting_collector():
        raise ValueError("x")
    assert gc.isenabled()


def test_who_turned_it_off_finds_it_off():
    gc.disable()
    with resting_collector():
        pass
    assert not gc.isenabled()


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_built_inside_counts_as_old(frozen):
    gc.enable()
    gc.collect()
    if frozen:
        gc.freeze()
    try:
        before = gc.get_freeze_count()
        with resting_collector():
            built = [[] for _ in range(10)]
        assert any(one is built for one in gc.get_objects(generation=2)) is not frozen
        assert gc.get_freeze_count() == before
    finally:
        gc.unfreeze()


def test_garbage_is_collected_however_often_something_is_built(monkeypatch):
    monkeypatch.setattr(collector, "_MOST_MOVED", 20_000)
    gc.enable()
    gc.collect()
    gone: list[int] = []

    class Ring:
        def __init__(self, number: int) -> None:
            self.itself = self
            self.held: list[list[int]] = [[] for _ in range(1_000)]
            weakref.finalize(self, gone.append, number)

    for number in range(40):
        with resting_collector():
            Ring(number)
    assert len(gone) >= 15
