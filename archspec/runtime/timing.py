"""Measuring calls on a device, and the limits of the device: a large matrix product and a large copy."""

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
"""Measures one call, in seconds."""

FEWEST, MOST = 5, 1000
"""The smallest and largest number of rounds in a measurement."""

_WARM_UP = 3
"""Calls that are not measured, after the first."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds per call: the median and the quartiles of a number of rounds."""

    median: float
    lower: float
    upper: float
    rounds: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of at least two measurements."""
        lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
        return cls(median, lower, upper, len(seconds))


@dataclass(frozen=True, slots=True)
class Limits:
    """The highest measured speed of a device, per second.

    Attributes:
        macs: multiply-accumulates of a square matrix product.
        bytes: bytes read and written by a copy.
    """

    macs: float
    bytes: float


def device(name: str) -> torch.device:
    """The device with a name such as `cpu` or `cuda:1`, if it can run a network.

    Raises:
        ArchspecError: this machine has no such device.
    """
    device = device_of(name)
    if device.type == "meta":
        raise fail("wrong-device", "the device 'meta' has shapes but no values: nothing can run there")
    return device


def title(device: torch.device) -> str:
    """The name of a device, with the settings that its speed depends on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} (threads: {torch.get_num_threads()})" if device.type == "cpu" else device.type


def precision(name: str) -> torch.dtype:
    """The type with a name such as `bfloat16`."""
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def clock(device: torch.device) -> Clock:
    """The clock of a device: on a GPU, where calls return before the work is done, events of its stream."""
    if device.type == "cuda":
        return _by_events
    wait = (lambda: None) if device.type == "cpu" else getattr(torch, device.type).synchronize

    def synchronized(work: Callable[[], object]) -> float:
        wait()
        start = time.perf_counter()
        work()
        wait()
        return time.perf_counter() - start

    return synchronized


def _by_events(work: Callable[[], object]) -> float:
    start, end = (cast(Any, torch.cuda.Event)(enable_timing=True) for _ in range(2))  # it has no types
    start.record()
    work()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3


def spread(work: Callable[[], object], clock: Clock, seconds: float) -> Spread:
    """The time of a call after a warm-up: as many rounds as fit into `seconds`, from `FEWEST` to `MOST`."""
    return Spread.of(list(_rounds(work, clock, seconds, fewest=FEWEST)))


def limits(device: torch.device, dtype: torch.dtype, seconds: float) -> Limits:
    """The limits of a device for a type: the fastest of the rounds that fit into `seconds`.

    In float32 on a GPU the matrix product uses TF32, as PyTorch's convolutions do. If a product in another type is
    slower than in float32, the device has no arithmetic for the type, and float32 is the limit.
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
    """The shortest time, in seconds, of a product of two square matrices."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return min(_rounds(lambda: a @ b, tick, seconds, fewest=1))


@contextmanager
def _as_convolutions(device: torch.device) -> Iterator[None]:
    """Give matrix products on a GPU the precision of its convolutions, for a `with` block."""
    previous = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(previous)


def inference(
    make: Callable[[], nn.Module],
    graph: Graph,
    batch: int,
    device: torch.device,
    dtype: torch.dtype,
    seconds: float,
) -> Spread:
    """The time of a forward pass without gradients.

    Raises:
        ArchspecError: PyTorch cannot run it: an op has no kernel for the type, out of memory, compilation fails.
    """
    torch.compiler.reset()  # otherwise the second batch size is compiled with a symbolic batch
    try:
        module, samples = make(), inputs(graph, batch, device, dtype)
        with torch.no_grad():
            return spread(partial(module, *samples), clock(device), seconds)
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        where = f"with batch {batch} in {str(dtype).removeprefix('torch.')} on {device}"
        raise fail("unsupported", f"PyTorch cannot run {graph.name} {where}: {reason}") from error


def _rounds(work: Callable[[], object], clock: Clock, seconds: float, *, fewest: int) -> Iterator[float]:
    """The seconds of each call, after a warm-up whose first call may compile."""
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
    """Random inputs for a network: normally distributed floats, and zeros for integers, which any table contains."""
    return tuple(
        torch.randn(batch, *value.type.sizes, device=device).to(dtype)
        if value.type.dtype.value == "float32"
        else torch.zeros(batch, *value.type.sizes, device=device, dtype=torch.int64)
        for value in graph.inputs
    )
