"""Whatever is written in a spec or in a file of weights, the answer is diagnostics, in bounded time and memory."""

from __future__ import annotations

import sys

import pytest

from tests.fuzzing.inputs import Failure, smallest, tried
from tests.fuzzing.limits import TooSlow, limited
from tests.fuzzing.shrink import shrink_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

TEXTS, FILES, CHUNK = 5_000, 1_000, 250


@pytest.mark.parametrize("first", range(0, TEXTS, CHUNK))
def test_mutated_specs(first: int) -> None:
    for seed in range(first, first + CHUNK):
        failure = tried("texts", seed)
        assert failure is None, _shown(smallest("texts", failure))


@pytest.mark.parametrize("first", range(0, FILES, CHUNK))
def test_mutated_files_of_weights(first: int) -> None:
    for seed in range(first, first + CHUNK):
        failure = tried("checkpoints", seed)
        assert failure is None, _shown(smallest("checkpoints", failure))


def _shown(failure: Failure) -> str:
    return f"seed {failure.seed}: {failure.message}\n{failure.data[:2_000]!r}"


def test_what_takes_too_long_is_stopped() -> None:
    with pytest.raises(TooSlow), limited(seconds=0.05):
        sum(number % 7 for number in range(10**9))


def test_what_takes_too_much_memory_is_refused() -> None:
    with pytest.raises(MemoryError), limited(memory=50 * 2**20):
        bytearray(400 * 2**20)
    assert len(bytearray(60 * 2**20)) == 60 * 2**20


def test_a_failing_input_is_shrunk_to_what_fails() -> None:
    assert (
        shrink_bytes(b"abcdefgh" * 50 + b"xy" + b"12345" * 30 + b"z", lambda data: b"x" in data and b"z" in data)
        == b"xz"
    )
