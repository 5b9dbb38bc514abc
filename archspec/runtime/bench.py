"""The benchmark: how fast a network runs on a device, and how close that is to the limits of the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from archspec.lower.optional_deps import require
from archspec.network import Network
from archspec.report import text_table, units

if TYPE_CHECKING:
    from torch import nn

    from archspec.runtime.options import Layout, Precision
    from archspec.runtime.timing import Limits, Spread

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Configuration:
    """How to run a network; see `Network.to_torch`."""

    device: str = "cpu"
    dtype: Precision = "float32"
    layout: Layout = "contiguous"
    optimized: bool = False
    compiled: bool = False


_OVER_100 = "over 100%: a convolution algorithm with fewer multiplications than counted"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement.

    Attributes:
        what: `latency` or `throughput`.
        batch: samples per call.
        time: seconds per call.
        macs: multiply-accumulates per call.
        bytes: the bytes that a call has to move: each weight, each input and each layer's output once.
        limits: the limits of the device, measured in the same process.
    """

    what: str
    batch: int
    time: Spread
    macs: int
    bytes: int
    limits: Limits

    @property
    def samples_per_second(self) -> float:
        return self.batch / self.time.median

    @property
    def arithmetic_share(self) -> float:
        """Multiply-accumulates per second, relative to those of a large matrix product.

        It may exceed 1: some algorithms for convolution need fewer multiplications than the formula.
        """
        return self.macs / self.time.median / self.limits.macs

    @property
    def bandwidth_share(self) -> float:
        """Bytes per second, relative to those of a large copy. It may exceed 1: cached bytes need not be moved."""
        return self.bytes / self.time.median / self.limits.bytes

    def as_json(self) -> dict[str, Any]:
        """The measurement as one object, times in seconds."""
        return {
            "what": self.what,
            "batch": self.batch,
            "seconds": asdict(self.time),
            "samples_per_second": self.samples_per_second,
            "macs": self.macs,
            "bytes": self.bytes,
            "arithmetic_share": self.arithmetic_share,
            "bandwidth_share": self.bandwidth_share,
        }


@dataclass(frozen=True, slots=True)
class BenchResult:
    """The measurements of one network on one device.

    Attributes:
        network: its name.
        inputs: the sizes of its inputs by name, for one sample.
        config: how it was run.
        layout: the memory layout of images; with `auto`, the one selected for the device.
        device: the name of the device.
        torch: the version of PyTorch.
        limits: the limits of the device.
        measurements: the measurements.
    """

    network: str
    inputs: Mapping[str, Sequence[int]]
    config: Configuration
    layout: str
    device: str
    torch: str
    limits: Limits
    measurements: tuple[Measurement, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything as one object, times in seconds."""
        return {
            "network": self.network,
            "inputs": {name: list(sizes) for name, sizes in self.inputs.items()},
            "device": self.device,
            "torch": self.torch,
            "way": asdict(self.config),
            "layout": self.layout,
            "limits": {"macs_per_second": self.limits.macs, "bytes_per_second": self.limits.bytes},
            "runs": [measurement.as_json() for measurement in self.measurements],
        }

    def text(self) -> str:
        """A header, a table, and an explanation of shares above 100%."""
        words = [name for name in ("optimized", "compiled") if getattr(self.config, name)]
        how = ", ".join([self.config.dtype, self.layout.replace("_", " "), *words])
        head = ("", "batch", "median", "quartiles", "samples/s", "arithmetic", "bandwidth")
        table = text_table.fitting([head, *map(_row, self.measurements)], None, left=1, needed=len(head))
        inputs = " and ".join(map(units.size, self.inputs.values()))
        title = f"{self.network}, {inputs}, on {self.device}, PyTorch {self.torch}"
        macs, bytes = f"{self.limits.macs / 1e9:,.3g} GMAC/s", f"{units.memory(round(self.limits.bytes))}/s"
        limits = f"limits: {macs} in a matrix product, {bytes} in a copy"
        above = any(measurement.arithmetic_share > 1 for measurement in self.measurements)
        return "\n".join([title, how, limits, "", *table, *(["", _OVER_100] if above else [])])


def bench(network: Network, config: Configuration, *, batch: int = 32, seconds: float = 2.0) -> BenchResult:
    """Measure the latency of one sample, the throughput of a batch, and the limits of the device.

    Args:
        network: the network; it runs with initial weights.
        config: where and how to run it.
        batch: samples per call when measuring throughput.
        seconds: time for each measurement, after a warm-up.

    Raises:
        ArchspecError: PyTorch is not installed, this machine has no such device, or PyTorch cannot run the network
            on it in this precision.
    """
    require("torch", "the benchmark")
    from archspec.runtime import timing
    from archspec.runtime.device import layout as layout_of

    device, dtype = timing.device(config.device), timing.precision(config.dtype)
    chosen = network.optimized() if config.optimized else network

    def module() -> nn.Module:
        module = chosen.to_torch(device=device, dtype=dtype, memory_format=config.layout, compiled=config.compiled)
        return module.eval()

    limits = timing.limits(device, dtype, min(seconds, 1.0))
    measurements = []
    for what, samples in (("latency", 1), ("throughput", batch)):
        time = timing.inference(module, chosen.graph, samples, device, dtype, seconds)
        bytes = traffic(chosen, samples, config.dtype)
        measurements.append(Measurement(what, samples, time, samples * chosen.macs, bytes, limits))
    layout = layout_of(chosen.graph, device, dtype, config.layout)
    return BenchResult(
        network.name,
        network.inputs,
        config,
        "contiguous" if layout is None else str(layout).removeprefix("torch."),
        timing.title(device),
        timing.VERSION,
        limits,
        tuple(measurements),
    )


def traffic(network: Network, batch: int, dtype: Precision = "float32") -> int:
    """The bytes that a call has to move at inference: each weight once, and per sample the inputs and every output."""
    graph = network.graph
    nodes = [node for node in graph.nodes if node not in graph.training_only and node not in graph.unused]
    values = [*graph.inputs, *(value for node in nodes for value in node.outputs)]
    weights = {node.weight_key(weight): weight for node in nodes for weight in node.weights}
    activations = sum(_bytes(value.type.elements, value.type.dtype.value, dtype) for value in values)
    return batch * activations + sum(_bytes(weight.elements, weight.dtype.value, dtype) for weight in weights.values())


def _bytes(elements: int, kind: str, dtype: Precision) -> int:
    """The bytes of a tensor in a network of this precision; integers always have 8."""
    return elements * (_BYTES[dtype] if kind == "float32" else 8)


def _row(measurement: Measurement) -> tuple[str, ...]:
    time = measurement.time
    return (
        measurement.what,
        f"{measurement.batch:,}",
        f"{_milliseconds(time.median)} ms",
        f"{_milliseconds(time.lower)} to {_milliseconds(time.upper)} ms",
        _digits(measurement.samples_per_second),
        f"{measurement.arithmetic_share:.1%}",
        f"{measurement.bandwidth_share:.1%}",
    )


def _milliseconds(seconds: float) -> str:
    return _digits(seconds * 1e3)


def _digits(number: float) -> str:
    """A number with three significant digits, or all digits before the decimal point."""
    return f"{number:.3g}" if number < 999.5 else f"{number:,.0f}"
