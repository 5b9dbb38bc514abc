"""One fuzzed input by its number: what it is, whether it fails, and the smallest that fails alike."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from tests.fuzzing.limits import BYTES, SECONDS, SECONDS_PER_LAYER, TooSlow, limited
from tests.fuzzing.mutations import mutated
from tests.fuzzing.shrink import shrink_bytes

What = Literal["texts", "checkpoints"]
"""What is fuzzed."""


@dataclass(frozen=True)
class Failure:
    """An input that fails: its number, its bytes, the kind of the failure and the message."""

    seed: int
    data: bytes
    kind: str
    message: str


def tried(what: What, seed: int, memory: int | None = BYTES) -> Failure | None:
    """The failure of an input, if it fails."""
    ending, data = input_of(what, seed)
    found = _failure(what, ending, data, memory)
    return None if found is None else Failure(seed, data, *found)


def smallest(what: What, failure: Failure) -> Failure:
    """The smallest input found that fails alike."""
    ending, _ = input_of(what, failure.seed)

    def alike(data: bytes) -> bool:
        found = _failure(what, ending, data, BYTES)
        return found is not None and found[0] == failure.kind

    small = shrink_bytes(failure.data, alike, 100 if "TooSlow" in failure.kind else 2_000)
    found = _failure(what, ending, small, BYTES) or (failure.kind, failure.message)
    return Failure(failure.seed, small, *found)


def input_of(what: What, seed: int) -> tuple[str, bytes]:
    """The ending and the bytes of an input."""
    random = Random(seed)
    if what == "texts":
        return "yaml", mutated(random)
    from tests.fuzzing.checkpoints import mutated_file

    return mutated_file(random)


def _failure(what: What, ending: str, data: bytes, memory: int | None) -> tuple[str, str] | None:
    """The kind and the message of the failure of these bytes."""
    try:
        message = _in_time(what, ending, data, memory)
    except (Exception, TooSlow) as error:
        place = traceback.extract_tb(error.__traceback__)[-1].name if isinstance(error, Exception) else ""
        kind = f"raised {type(error).__name__} {place}".strip()
        return kind, f"{kind}: {error}"
    return None if message is None else (message.split(":")[0], message)


def _in_time(what: What, ending: str, data: bytes, memory: int | None) -> str | None:
    """The message of the failure of these bytes, if they fail. A large network may take time for each of its layers."""
    try:
        with limited(SECONDS, memory):
            return _problem(what, ending, data)
    except TooSlow:
        if what != "texts":
            raise
    from tests.fuzzing.texts import layers_built

    with limited(SECONDS + SECONDS_PER_LAYER * layers_built(data), memory):
        return _problem(what, ending, data)


def _problem(what: What, ending: str, data: bytes) -> str | None:
    if what == "texts":
        from tests.fuzzing.texts import problems

        return next(problems(data), None)
    from tests.fuzzing.checkpoints import file_problems

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"weights.{ending}".rstrip(".")
        path.write_bytes(data)
        return next(file_problems(path), None)
