"""How long calls take on a device, and what the device reaches at best: a large matrix product, a large copy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from archspec.diagnostics import fail
from archspec.ir.graph import Graph
from archspec.runtime.device import device_of

VERSION = str(torch.__version__)

Clock = Callable[[Callable[[], object]], float]
"""The seconds of one call."""

FEWEST, MOST = 5, 1000
"""Rounds of a measurement, however long or short a call is."""

_WARM_UP = 3
"""Calls that do not count, after the first."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds of a call: the median of so many rounds, with the quartiles."""

    median: float
    lower: float
    upper: float
    rounds: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of two measurements or more."""
        lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
        return cls(median, lower, upper, len(seconds))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device reached at best, each in a second.

    Attributes:
        macs: multiply-accumulates of a square matrix product.
        bytes: bytes read and written by a copy.
    """

    macs: float
    bytes: float


def device(name: str) -> torch.device:
    """The device of a name, such as `cpu` or `cuda:1`, where something can run.

    Raises:
        ArchspecError: there is none here.
    """
    device = device_of(name)
    if device.type == "meta":
        raise fail("wrong-device", "the device 'meta' has shapes and no values: nothing runs there")
    return device


def title(device: torch.device) -> str:
    """What a device is called, with what its speed depends on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} (threads: {torch.get_num_threads()})" if device.type == "cpu" else device.type


def precision(name: str) -> torch.dtype:
    """The type of elements of a name, such as `bfloat16`."""
    found = getattr(torch, name)
    assert isinstance(found, torch.dtype)
    return found


def clock(device: torch.device) -> Clock:
    """The clock of a device: events of its stream on a GPU, whose work is only begun when a call returns."""
    if device.type == "cuda":
        return _by_events
    wait = (lambda: None) if device.type == "cpu" else getattr(torch, device.type).synchronize

    def by_hand(work: Callable[[], object]) -> float:
        wait()
        start = time.perf_counter()
        work()
        wait()
        return time.perf_counter() - start

    return by_hand


def _by_events(work: Callable[[], object]) -> float:
    start, end = (cast(Any, torch.cuda.Event)(enable_timing=True) for _ in range(2))  # it has no types
    start.record()
    work()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3


def spread(work: Callable[[], object], clock: Clock, seconds: float) -> Spread:
    """How long a call takes, after some that do not count: as many rounds as fit into `seconds`, within bounds."""
    return Spread.of(list(_rounds(work, clock, seconds, fewest=FEWEST)))


def limits(device: torch.device, dtype: torch.dtype, seconds: float) -> Limits:
    """What a device reaches at best with elements of a type: the fastest of the rounds that fit into `seconds`.

    In float32 a GPU's matrix product is that of TF32, since PyTorch convolves so. Where a product in another type takes
    longer than in float32, the device has no arithmetic for it, and that in float32 is the limit.
    """
    side, size = (8192, 2**30) if device.type == "cuda" else (1024, 2**26)
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    tick = clock(device)
    with _as_convolutions(device):
        product = min(_product(side, kind, device, tick, seconds) for kind in dict.fromkeys((dtype, torch.float32)))
    copy = min(_rounds(lambda: target.copy_(source), tick, seconds, fewest=1))
    return Limits(side**3 / product, 2 * size / copy)


def _product(side: int, dtype: torch.dtype, device: torch.device, tick: Clock, seconds: float) -> float:
    """The seconds of a product of two square matrices, at best."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return min(_rounds(lambda: a @ b, tick, seconds, fewest=1))


@contextmanager
def _as_convolutions(device: torch.device) -> Iterator[None]:
    """Let matrix products of a GPU round as its convolutions do."""
    usual = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(usual)


def inference(
    make: Callable[[], nn.Module],
    graph: Graph,
    batch: int,
    device: torch.device,
    dtype: torch.dtype,
    seconds: float,
) -> Spread:
    """How long a call of a graph's module takes, without gradients.

    Raises:
        ArchspecError: PyTorch cannot run it there: an op has no kernel for the type, memory is short, nothing compiles.
    """
    torch.compiler.reset()  # or the second number of samples would be compiled for any number
    try:
        module, samples = make(), inputs(graph, batch, device, dtype)
        with torch.no_grad():
            return spread(partial(module, *samples), clock(device), seconds)
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        where = f"with batch {batch} in {str(dtype).removeprefix('torch.')} on {device}"
        raise fail("unsupported", f"PyTorch cannot run {graph.name} {where}: {reason}") from error


def _rounds(work: Callable[[], object], clock: Clock, seconds: float, *, fewest: int) -> Iterator[float]:
    """The seconds of each call, after at most so many that do not count, of which the first may compile."""
    clock(work)
    end = time.perf_counter() + seconds
    for _ in range(_WARM_UP):
        if time.perf_counter() < end:
            clock(work)
    end = time.perf_counter() + seconds
    for done in range(MOST):
        if done >= fewest and time.perf_counter() > end:
            return
        yield clock(work)


def inputs(graph: Graph, batch: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Samples for a network: normal numbers of a type, and for inputs of whole numbers zeros, which any table has."""
    return tuple(
        torch.randn(batch, *value.type.sizes, device=device).to(dtype)
        if value.type.dtype.value == "float32"
        else torch.zeros(batch, *value.type.sizes, device=device, dtype=torch.int64)
        for value in graph.inputs
    )
